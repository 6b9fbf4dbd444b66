package smime_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// TestMemoryAnswers: whatever a memory has seen, its findings and chains are
// those of one that has seen nothing.
func TestMemoryAnswers(t *testing.T) {
	var cache smime.VerifyCache
	for _, c := range violations() {
		v := newVariant(t)
		c.change(t, v)
		chain := v.chain(t)
		for _, v.options.Use = range []certificate.Use{certificate.UseBoth, certificate.UseSign, v.options.Use} {
			want := smime.Check(chain, v.options)
			if got := cache.Check(chain, v.options); !slices.Equal(got, want) {
				t.Errorf("%s %s: %+v, want %+v", c.rule, c.name, got, want)
			}
		}
		if len(chain) == 0 || chain[0] == nil {
			continue
		}
		want, wantErr := smime.BuildChain(chain[0], chain)
		got, err := cache.BuildChain(chain[0], chain)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || len(got) != len(want) {
			t.Errorf("%s %s: chain of %d (%v), want %d (%v)", c.rule, c.name, len(got), err, len(want), wantErr)
		}
	}
}

// TestMemoryConstraints: what an authority two steps up forbids is still seen
// after another leaf of the same authorities was fine.
func TestMemoryConstraints(t *testing.T) {
	root := newRoot(t, "Root")
	root.PermittedEmailAddresses, root.PermittedDNSDomainsCritical = []string{"example.com"}, true
	authority := issue(t, root, newKey(t, elliptic.P256()), nil)
	intermediate := issue(t, newIntermediate(t, "Issuing"), newKey(t, elliptic.P256()), authority)
	leaf := func(address string) []*x509.Certificate {
		template := newLeaf(t)
		template.EmailAddresses = []string{address}
		return certs(issue(t, template, newKey(t, elliptic.P256()), intermediate), intermediate, authority)
	}
	var cache smime.VerifyCache
	if findings := cache.Check(leaf(email), smime.CheckOptions{Now: now()}); len(findings) != 0 {
		t.Fatalf("within the constraints: %+v", findings)
	}
	for range 2 {
		if got := ruleIDs(cache.Check(leaf("kim@example.org"), smime.CheckOptions{Now: now()})); !slices.Contains(got, "chain-constraints") {
			t.Fatalf("outside the constraints: %q", got)
		}
	}
}

// TestMemoryMany: more signatures than are remembered, from several goroutines.
func TestMemoryMany(t *testing.T) {
	good := certs(goodChain(t)...)
	other := certs(goodChain(t)...)
	forged := []*x509.Certificate{good[0], other[1], other[2]}
	var cache smime.VerifyCache
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 400 {
				strange := *good[0]
				strange.Raw = fmt.Appendf(nil, "%s%d", good[0].Raw, i)
				_, _ = cache.BuildChain(&strange, good)
				if findings := cache.Check(good, smime.CheckOptions{Now: now()}); len(findings) != 0 {
					t.Errorf("good chain: %+v", findings)
				}
				if got := ruleIDs(cache.Check(forged, smime.CheckOptions{Now: now()})); !slices.Contains(got, "chain-signature") {
					t.Errorf("forged chain: %q", got)
				}
			}
		})
	}
	group.Wait()
}
