package smime_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// TestMemoryAnswers: whatever a cache has seen, its findings and chains are
// those of one that has seen nothing.
func TestMemoryAnswers(t *testing.T) {
	var cache certpath.Verifier
	for _, c := range violations() {
		v := newVariant(t)
		c.change(t, v)
		chain := v.chain(t)
		for _, v.options.Use = range []certificate.Use{certificate.UseBoth, certificate.UseSign, v.options.Use} {
			want := smime.Check(new(certpath.Verifier), chain, v.options)
			if got := smime.Check(&cache, chain, v.options); !slices.Equal(got, want) {
				t.Errorf("%s %s: %+v, want %+v", c.rule, c.name, got, want)
			}
		}
		if len(chain) == 0 || chain[0] == nil {
			continue
		}
		want, wantErr := new(certpath.Verifier).Build(chain[0], certpath.NewPool(chain), certpath.Options{Now: now()})
		got, err := cache.Build(chain[0], certpath.NewPool(chain), certpath.Options{Now: now()})
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || len(got) != len(want) {
			t.Errorf("%s %s: chain of %d (%v), want %d (%v)", c.rule, c.name, len(got), err, len(want), wantErr)
		}
	}
}

// TestMemoryConstraints: what an authority two steps up forbids is still seen
// after another leaf of the same authorities was fine.
func TestMemoryConstraints(t *testing.T) {
	root := certtest.NewRoot(t, "Root")
	root.PermittedEmailAddresses, root.PermittedDNSDomainsCritical = []string{"example.com"}, true
	authority := certtest.Issue(t, root, certtest.NewKey(t, elliptic.P256()), nil)
	intermediate := certtest.Issue(t, newIntermediate(t, "Issuing"), certtest.NewKey(t, elliptic.P256()), authority)
	leaf := func(address string) []*x509.Certificate {
		template := newLeaf(t)
		template.EmailAddresses = []string{address}
		return certtest.Certs(certtest.Issue(t, template, certtest.NewKey(t, elliptic.P256()), intermediate), intermediate, authority)
	}
	var cache certpath.Verifier
	if findings := smime.Check(&cache, leaf(email), smime.CheckOptions{Now: now()}); len(findings) != 0 {
		t.Fatalf("within the constraints: %+v", findings)
	}
	for range 2 {
		if got := ruleIDs(smime.Check(&cache, leaf("kim@example.org"), smime.CheckOptions{Now: now()})); !slices.Contains(got, "chain-constraints") {
			t.Fatalf("outside the constraints: %q", got)
		}
	}
}

// TestLeafVerifiedOnce: after the chain was built, nothing looks at the leaf's
// signature again, with the authorities known or not: the key that made it is
// exchanged for another here.
func TestLeafVerifiedOnce(t *testing.T) {
	authorities := goodChain(t)[1:]
	var cache certpath.Verifier
	for range 2 {
		leaf := certtest.Issue(t, newLeaf(t), certtest.NewKey(t, elliptic.P256()), authorities[0])
		chain, err := cache.Build(leaf.Cert, certpath.NewPool(certtest.Certs(authorities...)), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		issuing := *chain[1]
		issuing.PublicKey = certtest.NewKey(t, elliptic.P384()).Public()
		if findings := smime.Check(new(certpath.Verifier), []*x509.Certificate{chain[0], &issuing, chain[2]}, smime.CheckOptions{Now: now()}); !smime.HasErrors(findings) {
			t.Fatal("a cache that knows nothing does not see the other key")
		}
		if findings := smime.Check(&cache, []*x509.Certificate{chain[0], &issuing, chain[2]}, smime.CheckOptions{Now: now()}); len(findings) != 0 {
			t.Errorf("the signature was verified again: %+v", findings)
		}
	}
}

// TestVerifiedAsCryptoX509Does: what crypto/x509 refuses of a whole chain is an
// error here, whatever was verified before.
func TestVerifiedAsCryptoX509Does(t *testing.T) {
	var cache certpath.Verifier
	for _, c := range violations() {
		v := newVariant(t)
		c.change(t, v)
		chain := v.chain(t)
		if len(chain) == 0 || chain[0] == nil {
			continue
		}
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(chain[len(chain)-1])
		for _, cert := range chain {
			intermediates.AddCert(cert)
		}
		_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil && !smime.HasErrors(smime.Check(&cache, chain, v.options)) {
			t.Errorf("%s %s: crypto/x509 refuses it: %v", c.rule, c.name, err)
		}
	}
}

// TestMemoryMany: more signatures than are remembered, from several goroutines.
func TestMemoryMany(t *testing.T) {
	good := certtest.Certs(goodChain(t)...)
	other := certtest.Certs(goodChain(t)...)
	forged := []*x509.Certificate{good[0], other[1], other[2]}
	var cache certpath.Verifier
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 400 {
				strange := *good[0]
				strange.Raw = fmt.Appendf(nil, "%s%d", good[0].Raw, i)
				strange.IsCA = i%2 == 0 // authorities' signatures are remembered for longer
				_, _ = cache.Build(&strange, certpath.NewPool(good), certpath.Options{Now: now()})
				if findings := smime.Check(&cache, good, smime.CheckOptions{Now: now()}); len(findings) != 0 {
					t.Errorf("good chain: %+v", findings)
				}
				if got := ruleIDs(smime.Check(&cache, forged, smime.CheckOptions{Now: now()})); !slices.Contains(got, "chain-signature") {
					t.Errorf("forged chain: %q", got)
				}
			}
		})
	}
	group.Wait()
}
