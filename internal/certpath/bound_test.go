package certpath_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// many is the number of certificates of a hostile pool.
const many = 10_000

// hostile is a pool that a search could get lost in, and what is told of a leaf: "" where
// there is a path.
type hostile struct {
	name string
	leaf *x509.Certificate
	pool []*x509.Certificate
	want certpath.Cause
}

func hostilePools(t testing.TB) []hostile {
	t.Helper()
	template := func(i int) *x509.Certificate {
		template := certtest.NewRoot(t, fmt.Sprint("Node ", i))
		template.SubjectKeyId = []byte{1} // all of them fit
		return template
	}
	keys := map[int]*certtest.Holder{}
	node := func(i int) *certtest.Holder {
		if keys[i] == nil {
			keys[i] = &certtest.Holder{Cert: template(i), Key: certtest.NewKey(t, elliptic.P256())}
		}
		return keys[i]
	}
	// by issues a certificate of node i by node j.
	by := func(i, j int) *x509.Certificate { return mustIssue(template(i), node(i).Key, node(j)) }
	expired := func(i, j int) *x509.Certificate {
		old := template(i)
		old.NotAfter = now().AddDate(-1, 0, 0)
		return mustIssue(old, node(i).Key, node(j))
	}
	// fill makes so many of a few certificates, all different as far as anybody reads them
	// but for what was signed.
	fill := func(certs ...*x509.Certificate) []*x509.Certificate {
		list := make([]*x509.Certificate, many)
		for k := range list {
			again := *certs[k%len(certs)]
			again.Raw = fmt.Append(again.Raw[:len(again.Raw):len(again.Raw)], k)
			list[k] = &again
		}
		return list
	}
	// fillKeys does that with a key of its own for each.
	fillKeys := func(cert *x509.Certificate, key func(k int) crypto.PublicKey) []*x509.Certificate {
		list := fill(cert)
		for k, cert := range list {
			cert.PublicKey, cert.RawSubjectPublicKeyInfo = key(k), fmt.Append(nil, k)
		}
		return list
	}
	onCurve := func(curve elliptic.Curve) func(int) crypto.PublicKey {
		return func(int) crypto.PublicKey { return certtest.NewKey(t, curve).Public() }
	}
	large := func(k int) crypto.PublicKey {
		modulus := new(big.Int).Lsh(big.NewInt(1), 8191)
		return &rsa.PublicKey{N: modulus.Add(modulus, big.NewInt(int64(2*k+1))), E: 1<<31 - 1}
	}
	selfIssued := by(0, 0)
	selfIssued.Version = 1
	var web, line []*x509.Certificate
	for i := range 30 {
		for j := range 30 {
			if i != j {
				web = append(web, by(i, j))
			}
		}
		line = append(line, by(i, i+1))
	}
	web = fill(web...)
	crowd, authority := certtest.NewLeaf(t), template(0)
	crowd.EmailAddresses = nil
	for i := range 300 {
		crowd.EmailAddresses = append(crowd.EmailAddresses, fmt.Sprintf("user%d@host.example.com", i))
		authority.PermittedEmailAddresses = append(authority.PermittedEmailAddresses, fmt.Sprintf("host%d.example.com", i))
	}
	constrained := mustIssue(authority, node(0).Key, node(1))
	leaf := mustIssue(certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), node(0))
	return []hostile{
		{"one name, other keys", leaf, fillKeys(by(0, 1), onCurve(elliptic.P256())), certpath.CauseOtherKey},
		{"one name, other keys, and the right one", leaf, append(fillKeys(by(0, 1), onCurve(elliptic.P256()))[:many-2], by(0, 1), by(1, 1)), ""},
		{"one name, other keys of P-384", leaf, append(fillKeys(by(0, 1), onCurve(elliptic.P384())), by(1, 1)), certpath.CauseGivenUp},
		{"one name and key", leaf, fill(by(0, 1)), certpath.CauseMissing},
		{"one name and key, each a root", leaf, fill(by(0, 0)), ""},
		{"one name and key, expired", leaf, fill(expired(0, 1)), certpath.CauseMissing},
		{"RSA of 8192 bits", leaf, append(fillKeys(by(0, 1), large), by(1, 1)), certpath.CauseGivenUp},
		{"RSA of 8192 bits, self-issued", leaf, fillKeys(selfIssued, large), certpath.CauseGivenUp},
		{"thirty certify each other", leaf, web, certpath.CauseNoRoot},
		{"the same, and an expired root", leaf, append(slices.Clone(web), expired(29, 29)), certpath.CauseExpired},
		{"the same, and a root", leaf, append(slices.Clone(web), by(29, 29)), ""},
		{"two certify each other", leaf, fill(by(0, 1), by(1, 0)), certpath.CauseNoRoot},
		{"one above the other", leaf, fill(line...), certpath.CauseNoRoot},
		{"many names and constraints", mustIssue(crowd, certtest.NewKey(t, elliptic.P256()), node(0)), append(fill(constrained), by(1, 1)), certpath.CauseNames},
	}
}

// TestBoundedWork: building a path of a pool of ten thousand certificates costs a
// bounded number of signatures and of issuers that are tried, however they are related.
// How much processor time it takes, with that of the collector of garbage, is told and not
// judged: the bounds are chosen for less than a second.
func TestBoundedWork(t *testing.T) {
	for _, c := range hostilePools(t) {
		options := certpath.Options{Now: now()}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := processorTime()
		chain, cost, tried, err := certpath.Work(new(certpath.Verifier), c.leaf, certpath.NewPool(c.pool), options)
		took := processorTime() - began
		runtime.ReadMemStats(&after)
		t.Logf("%s: %v, cost %d, tried %d, %d kB allocated", c.name, took.Round(time.Millisecond), cost, tried, (after.TotalAlloc-before.TotalAlloc)>>10)
		const oneMore = 150 // what is under way when the bound is reached
		if cost > certpath.MaxCost+oneMore || tried > certpath.MaxTried+certpath.MaxTried/5 {
			t.Errorf("%s: cost %d, tried %d", c.name, cost, tried)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64<<20 {
			t.Errorf("%s: %d octets allocated", c.name, allocated)
		}
		cause := certpath.Cause("")
		if none := (*certpath.NoPathError)(nil); errors.As(err, &none) {
			cause = none.Fault.Cause
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if faults := new(certpath.Verifier).Validate(chain, options); len(faults) > 0 {
			cause = faults[0].Cause
		}
		if cause != c.want {
			t.Errorf("%s: %q (%v), want %q", c.name, cause, err, c.want)
		}
	}
}

// TestBoundedMemory: a Verifier remembers a bounded number of signatures, the latest leaf's
// among them nearly always; what it has no room for is not verified twice in one search.
func TestBoundedMemory(t *testing.T) {
	chain := certtest.Certs(goodChain(t)...)
	pool, options := certpath.NewPool(chain[1:]), certpath.Options{Now: now()}
	const leaves, one = 3*certpath.MaxRemembered + 7, 2 // what a signature of P-256 costs
	var v certpath.Verifier
	total := 0
	for range leaves {
		leaf := *chain[0]
		for range 2 {
			_, cost, _, err := certpath.Work(&v, &leaf, pool, options)
			if err != nil {
				t.Fatal(err)
			}
			total += cost
			if authorities, others := certpath.Remembered(&v); authorities > certpath.MaxRemembered || others > certpath.MaxRemembered {
				t.Fatalf("%d signatures of authorities and %d of others are remembered", authorities, others)
			}
		}
	}
	if most := one * (leaves + leaves/certpath.MaxRemembered + 2); total > most {
		t.Errorf("cost %d for %d leaves, twice each; more than %d", total, leaves, most)
	}
	strangers := hostilePools(t)[0] // each with a key of its own
	few := certpath.NewPool(strangers.pool[:3*certpath.MaxRemembered])
	_, want, _, _ := certpath.Work(new(certpath.Verifier), strangers.leaf, few, options)
	if _, cost, _, _ := certpath.Work(&v, strangers.leaf, few, options); cost != want {
		t.Errorf("cost %d where others are remembered, %d where none are", cost, want)
	}
}
