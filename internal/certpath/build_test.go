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
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// TestBuildChainShuffled: the order of the pool, doublets, nils and strangers in
// it make no difference.
func TestBuildChainShuffled(t *testing.T) {
	root := issue(t, newRoot(t, "Root"), newKey(t, elliptic.P256()), nil)
	line := []*holder{root}
	for i := range 4 {
		template := newRoot(t, fmt.Sprint("Authority ", i))
		line = append([]*holder{issue(t, template, newKey(t, elliptic.P256()), line[0])}, line...)
	}
	leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), line[0])
	want := append([]*x509.Certificate{leaf.cert}, certs(line...)...)

	pool := append(certs(goodChain(t)...), want...)
	pool = append(pool, parse(t, root.cert.Raw), nil)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		random.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
		got, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(pool), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		sameCerts(t, got, want)
	}
}

func TestBuildChainMissing(t *testing.T) {
	good := goodChain(t)
	leaf, intermediate, root := good[0].cert, good[1].cert, good[2].cert
	others := certs(goodChain(t)...)
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
		sameCerts(t, none.Chain, c.piece)
		if none.Last() != c.last || none.Fault.Cause != c.cause || !strings.Contains(err.Error(), "CN="+c.issuer) {
			t.Errorf("%s: breaks off at %s (%s): %v", name, none.Last().Subject, none.Fault.Cause, err)
		}
	}
	if chain, err := new(certpath.Verifier).Build(nil, certpath.NewPool(certs(good...)), certpath.Options{Now: now()}); err == nil {
		t.Errorf("no leaf: chain of %d", len(chain))
	}
}

// TestBuildChainCrossSigned: authorities that certify each other end in no loop,
// and the way out to a root is found.
func TestBuildChainCrossSigned(t *testing.T) {
	keyA, keyB := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	nameA, nameB := newRoot(t, "A"), newRoot(t, "B")
	a, b := &holder{nameA, keyA}, &holder{nameB, keyB}
	aByB := issue(t, newRoot(t, "A"), keyA, b)
	bByA := issue(t, newRoot(t, "B"), keyB, a)
	leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), a)

	loop := certs(aByB, bByA)
	var none *certpath.NoPathError
	if chain, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(loop), certpath.Options{Now: now()}); !errors.As(err, &none) {
		t.Errorf("a loop without a root: chain of %d, error %v", len(chain), err)
	}
	rootB := issue(t, newRoot(t, "B"), keyB, nil)
	got, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(append(loop, rootB.cert)), certpath.Options{Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	sameCerts(t, got, certs(leaf, aByB, rootB))
}

// TestBuildChainLongestValid: of two roots with one key, the one that is valid
// longer is taken.
func TestBuildChainLongestValid(t *testing.T) {
	key := newKey(t, elliptic.P256())
	old := newRoot(t, "Root")
	old.NotAfter = now().AddDate(1, 0, 0)
	oldRoot, newer := issue(t, old, key, nil), issue(t, newRoot(t, "Root"), key, nil)
	leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), oldRoot)
	for _, pool := range [][]*holder{{oldRoot, newer}, {newer, oldRoot}} {
		got, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(certs(pool...)), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		sameCerts(t, got, certs(leaf, newer))
	}
}

// TestBuildChainMesh: many authorities that all certify each other do not make
// the search endless.
func TestBuildChainMesh(t *testing.T) {
	const n = 12
	var nodes []*holder
	for i := range n {
		nodes = append(nodes, &holder{newRoot(t, fmt.Sprint("Node ", i)), newKey(t, elliptic.P256())})
	}
	var pool []*x509.Certificate
	for i, subject := range nodes {
		for j, issuer := range nodes {
			if i != j {
				pool = append(pool, issue(t, newRoot(t, subject.cert.Subject.CommonName), subject.key, issuer).cert)
			}
		}
	}
	leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), nodes[0])
	var none *certpath.NoPathError
	if chain, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(pool), certpath.Options{Now: now()}); !errors.As(err, &none) {
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
		template := newIntermediate(t, "Issuing")
		template.SerialNumber = big.NewInt(serial)
		der, err := x509.CreateCertificate(cryptorand.Reader, template, good[2].cert, key, good[2].key)
		if err != nil {
			t.Fatal(err)
		}
		return parse(t, der)
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
		if chain, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(pool), certpath.Options{Now: now()}); !errors.As(err, &none) {
			t.Errorf("%s: chain of %d, error %v", name, len(chain), err)
		}
		t.Logf("%s: %v", name, time.Since(began).Round(100*time.Microsecond))
		// The right issuer among them is found all the same.
		if chain, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(append(certs(good...), pool[:min(len(pool), 2)]...)), certpath.Options{Now: now()}); err != nil || len(chain) != 3 {
			t.Errorf("%s: chain of %d, error %v", name, len(chain), err)
		}
	}
	self := newLeaf(t)
	for i := range 20_000 {
		self.EmailAddresses = append(self.EmailAddresses, fmt.Sprintf("user%d@example.com", i))
	}
	crowded := issue(t, self, newKey(t, elliptic.P256()), good[1])
	var large *certificate.TooLargeError
	if chain, err := new(certpath.Verifier).Build(crowded.cert, certpath.NewPool(certs(good...)), certpath.Options{Now: now()}); !errors.As(err, &large) {
		t.Errorf("20,000 addresses: chain of %d, error %v", len(chain), err)
	}
}

// TestBuildChainSameName: of several issuers of one name, the one whose key
// signed is taken.
func TestBuildChainSameName(t *testing.T) {
	root := issue(t, newRoot(t, "Root"), newKey(t, elliptic.P256()), nil)
	var issuers []*holder
	for i := range 5 {
		template := newIntermediate(t, "Issuing")
		template.NotAfter = template.NotAfter.AddDate(0, i, 0)
		issuers = append(issuers, issue(t, template, newKey(t, elliptic.P256()), root))
	}
	pool := append(certs(issuers...), root.cert)
	for _, issuer := range issuers {
		leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), issuer)
		got, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(pool), certpath.Options{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		sameCerts(t, got, certs(leaf, issuer, root))
	}
}

func TestBuildChainSelfSignedLeaf(t *testing.T) {
	leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), nil)
	got, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(certs(goodChain(t)...)), certpath.Options{Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	sameCerts(t, got, certs(leaf))
}

// TestMissingIssuerErrorText: names from outside cannot steer a terminal.
func TestMissingIssuerErrorText(t *testing.T) {
	issuer := &holder{newRoot(t, "Issuing\x1b[2J\u202e\n"), newKey(t, elliptic.P256())}
	template := newLeaf(t)
	template.Subject.CommonName = "Kim\r\x07\u2028"
	leaf := issue(t, template, newKey(t, elliptic.P256()), issuer)
	_, err := new(certpath.Verifier).Build(leaf.cert, certpath.NewPool(nil), certpath.Options{Now: now()})
	if err == nil || !printableText(err.Error()) || !strings.Contains(err.Error(), "Issuing") || !strings.Contains(err.Error(), "Kim") {
		t.Errorf("error %q", err)
	}
}

// TestBuildChainRootChanged: what names itself as its issuer and was not signed by its own
// key is no root.
func TestBuildChainRootChanged(t *testing.T) {
	good := certs(goodChain(t)...)
	root := sign(t, good[2], nil, nil, func([]byte) []byte { return good[0].Signature })
	_, err := new(certpath.Verifier).Build(good[0], certpath.NewPool([]*x509.Certificate{good[1], root}), certpath.Options{Now: now()})
	none := (*certpath.NoPathError)(nil)
	if !errors.As(err, &none) || none.Fault.Cause != certpath.CauseOtherKey || none.Last() != root {
		t.Errorf("%v", err)
	}
}
