package certpath_test

import (
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// TestBuildChainShuffled: the order of the pool, doublets, nils and strangers in
// it make no difference.
func TestBuildChainShuffled(t *testing.T) {
	root := certtest.Issue(t, certtest.NewRoot(t, "Root"), certtest.NewKey(t, elliptic.P256()), nil)
	line := []*certtest.Holder{root}
	for i := range 4 {
		template := certtest.NewRoot(t, fmt.Sprint("Authority ", i))
		line = append([]*certtest.Holder{certtest.Issue(t, template, certtest.NewKey(t, elliptic.P256()), line[0])}, line...)
	}
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), line[0])
	want := append([]*x509.Certificate{leaf.Cert}, certtest.Certs(line...)...)

	pool := append(certtest.Certs(goodChain(t)...), want...)
	pool = append(pool, certtest.Parse(t, root.Cert.Raw), nil)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		random.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
		got, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(pool), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		certtest.Same(t, got, want)
	}
}

func TestBuildChainMissing(t *testing.T) {
	good := goodChain(t)
	leaf, intermediate, root := good[0].Cert, good[1].Cert, good[2].Cert
	others := certtest.Certs(goodChain(t)...)
	for name, c := range map[string]struct {
		pool, piece []*x509.Certificate
		last        *x509.Certificate
		cause       certpath.Cause
		issuer      string
	}{
		"intermediate":                  {[]*x509.Certificate{leaf, root}, []*x509.Certificate{leaf}, leaf, certpath.CauseMissing, "Issuing"},
		"root":                          {[]*x509.Certificate{intermediate}, []*x509.Certificate{leaf, intermediate}, intermediate, certpath.CauseMissing, "Root"},
		"everything":                    {nil, []*x509.Certificate{leaf}, leaf, certpath.CauseMissing, "Issuing"},
		"the key's issuer":              {others, []*x509.Certificate{leaf, others[1], others[2]}, leaf, certpath.CauseOtherKey, "Issuing"},
		"the key's root":                {[]*x509.Certificate{intermediate, others[1], others[2]}, []*x509.Certificate{leaf, intermediate, others[2]}, intermediate, certpath.CauseOtherKey, "Root"},
		"the key's issuer, and no root": {others[:2], []*x509.Certificate{leaf, others[1]}, leaf, certpath.CauseOtherKey, "Issuing"},
	} {
		chain, err := new(certpath.Verifier).Build(leaf, certpath.NewPool(c.pool), certpath.Options{Now: now()})
		var none *certpath.NoPathError
		if !errors.As(err, &none) || chain != nil {
			t.Errorf("%s: chain of %d, error %v", name, len(chain), err)
			continue
		}
		certtest.Same(t, none.Chain, c.piece)
		if none.Last() != c.last || none.Fault.Cause != c.cause || !strings.Contains(err.Error(), "CN="+c.issuer) {
			t.Errorf("%s: breaks off at %s (%s): %v", name, none.Last().Subject, none.Fault.Cause, err)
		}
	}
	if chain, err := new(certpath.Verifier).Build(nil, certpath.NewPool(certtest.Certs(good...)), certpath.Options{Now: now()}); err == nil {
		t.Errorf("no leaf: chain of %d", len(chain))
	}
}

// TestBuildChainCrossSigned: authorities that certify each other end in no loop,
// and the way out to a root is found.
func TestBuildChainCrossSigned(t *testing.T) {
	keyA, keyB := certtest.NewKey(t, elliptic.P256()), certtest.NewKey(t, elliptic.P256())
	nameA, nameB := certtest.NewRoot(t, "A"), certtest.NewRoot(t, "B")
	a, b := &certtest.Holder{Cert: nameA, Key: keyA}, &certtest.Holder{Cert: nameB, Key: keyB}
	aByB := certtest.Issue(t, certtest.NewRoot(t, "A"), keyA, b)
	bByA := certtest.Issue(t, certtest.NewRoot(t, "B"), keyB, a)
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), a)

	loop := certtest.Certs(aByB, bByA)
	var none *certpath.NoPathError
	if chain, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(loop), certpath.Options{Now: now()}); !errors.As(err, &none) {
		t.Errorf("a loop without a root: chain of %d, error %v", len(chain), err)
	}
	rootB := certtest.Issue(t, certtest.NewRoot(t, "B"), keyB, nil)
	got, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(append(loop, rootB.Cert)), certpath.Options{Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	certtest.Same(t, got, certtest.Certs(leaf, aByB, rootB))
}

// TestBuildChainLongestValid: of two roots with one key, the one that is valid
// longer is taken.
func TestBuildChainLongestValid(t *testing.T) {
	key := certtest.NewKey(t, elliptic.P256())
	old := certtest.NewRoot(t, "Root")
	old.NotAfter = now().AddDate(1, 0, 0)
	oldRoot, newer := certtest.Issue(t, old, key, nil), certtest.Issue(t, certtest.NewRoot(t, "Root"), key, nil)
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), oldRoot)
	for _, pool := range [][]*certtest.Holder{{oldRoot, newer}, {newer, oldRoot}} {
		got, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(certtest.Certs(pool...)), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		certtest.Same(t, got, certtest.Certs(leaf, newer))
	}
}

// TestBuildChainMesh: many authorities that all certify each other do not make
// the search endless.
func TestBuildChainMesh(t *testing.T) {
	const n = 12
	var nodes []*certtest.Holder
	for i := range n {
		nodes = append(nodes, &certtest.Holder{Cert: certtest.NewRoot(t, fmt.Sprint("Node ", i)), Key: certtest.NewKey(t, elliptic.P256())})
	}
	var pool []*x509.Certificate
	for i, subject := range nodes {
		for j, issuer := range nodes {
			if i != j {
				pool = append(pool, certtest.Issue(t, certtest.NewRoot(t, subject.Cert.Subject.CommonName), subject.Key, issuer).Cert)
			}
		}
	}
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), nodes[0])
	var none *certpath.NoPathError
	if chain, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(pool), certpath.Options{Now: now()}); !errors.As(err, &none) {
		t.Errorf("chain of %d, error %v", len(chain), err)
	}
}

// TestBuildChainOfHostileSizes: keys and numbers of names that would take seconds to
// work with are left out before a signature is checked, and a heap of issuers of one
// name ends the search.
func TestBuildChainOfHostileSizes(t *testing.T) {
	good := goodChain(t)
	leaf := good[0]
	imitation := func(bits uint, serial int64) *x509.Certificate {
		modulus := new(big.Int).Lsh(big.NewInt(1), bits-1)
		key := &rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1), E: 1<<31 - 1}
		template := certtest.NewIntermediate(t, "Issuing")
		template.SerialNumber = big.NewInt(serial)
		der, err := x509.CreateCertificate(cryptorand.Reader, template, good[2].Cert, key, good[2].Key)
		if err != nil {
			t.Fatal(err)
		}
		return certtest.Parse(t, der)
	}
	var many []*x509.Certificate
	for i := range 200 {
		many = append(many, imitation(8192, int64(i+1)))
	}
	for name, pool := range map[string][]*x509.Certificate{
		"RSA of 65536 bits": {imitation(65536, 1), imitation(65536, 2)}, "RSA of a million bits": {imitation(1_000_000, 1)},
		"200 of 8192 bits": many, "ten thousand of them": slices.Repeat(many, 50),
	} {
		began := time.Now()
		var none *certpath.NoPathError
		if chain, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(pool), certpath.Options{Now: now()}); !errors.As(err, &none) {
			t.Errorf("%s: chain of %d, error %v", name, len(chain), err)
		}
		t.Logf("%s: %v", name, time.Since(began).Round(100*time.Microsecond))
		// The right issuer among them is found all the same.
		if chain, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(append(certtest.Certs(good...), pool[:min(len(pool), 2)]...)), certpath.Options{Now: now()}); err != nil || len(chain) != 3 {
			t.Errorf("%s: chain of %d, error %v", name, len(chain), err)
		}
	}
	self := certtest.NewLeaf(t)
	for i := range 20_000 {
		self.EmailAddresses = append(self.EmailAddresses, fmt.Sprintf("user%d@example.com", i))
	}
	crowded := certtest.Issue(t, self, certtest.NewKey(t, elliptic.P256()), good[1])
	var large *certificate.TooLargeError
	if chain, err := new(certpath.Verifier).Build(crowded.Cert, certpath.NewPool(certtest.Certs(good...)), certpath.Options{Now: now()}); !errors.As(err, &large) {
		t.Errorf("20,000 addresses: chain of %d, error %v", len(chain), err)
	}
}

// TestBuildChainSameName: of several issuers of one name, the one whose key
// signed is taken.
func TestBuildChainSameName(t *testing.T) {
	root := certtest.Issue(t, certtest.NewRoot(t, "Root"), certtest.NewKey(t, elliptic.P256()), nil)
	var issuers []*certtest.Holder
	for i := range 5 {
		template := certtest.NewIntermediate(t, "Issuing")
		template.NotAfter = template.NotAfter.AddDate(0, i, 0)
		issuers = append(issuers, certtest.Issue(t, template, certtest.NewKey(t, elliptic.P256()), root))
	}
	pool := append(certtest.Certs(issuers...), root.Cert)
	for _, issuer := range issuers {
		leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), issuer)
		got, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(pool), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		certtest.Same(t, got, certtest.Certs(leaf, issuer, root))
	}
}

func TestBuildChainSelfSignedLeaf(t *testing.T) {
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), nil)
	got, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(certtest.Certs(goodChain(t)...)), certpath.Options{Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	certtest.Same(t, got, certtest.Certs(leaf))
}

// TestMissingIssuerErrorText: names from outside cannot steer a terminal.
func TestMissingIssuerErrorText(t *testing.T) {
	issuer := &certtest.Holder{Cert: certtest.NewRoot(t, "Issuing\x1b[2J\u202e\n"), Key: certtest.NewKey(t, elliptic.P256())}
	template := certtest.NewLeaf(t)
	template.Subject.CommonName = "Kim\r\x07\u2028"
	leaf := certtest.Issue(t, template, certtest.NewKey(t, elliptic.P256()), issuer)
	_, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(nil), certpath.Options{Now: now()})
	if err == nil || !printableText(err.Error()) || !strings.Contains(err.Error(), "Issuing") || !strings.Contains(err.Error(), "Kim") {
		t.Errorf("error %q", err)
	}
}

// TestBuildChainRootChanged: what names itself as its issuer and was not signed by its own
// key is no root.
func TestBuildChainRootChanged(t *testing.T) {
	good := certtest.Certs(goodChain(t)...)
	root := sign(t, good[2], nil, nil, func([]byte) []byte { return good[0].Signature })
	_, err := new(certpath.Verifier).Build(good[0], certpath.NewPool([]*x509.Certificate{good[1], root}), certpath.Options{Now: now()})
	none := (*certpath.NoPathError)(nil)
	if !errors.As(err, &none) || none.Fault.Cause != certpath.CauseOtherKey || none.Last() != root {
		t.Errorf("%v", err)
	}
}
