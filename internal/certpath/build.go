package certpath

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// The bounds of a search. All of it together takes less than a second.
const (
	// maxChain bounds a path's length, leaf and root included.
	maxChain = 20
	// maxCost bounds the signatures that are verified, see [certificate.Cost]: half a second,
	// in which each of ten thousand keys of P-256 or RSA-2048 is tried.
	maxCost = 20_100
	// maxFetches bounds how often certificates are fetched for one path.
	maxFetches = 6
	// maxTried bounds the issuers that are tried at each degree of tolerance; some
	// comparisons of names count as one more.
	maxTried     = 10_000
	triedPerName = 20
)

// Build returns a path from leaf to a root, both included, of the pool's certificates.
// Of several it prefers a valid one; then issuers whose key the certificate names, an
// intermediate between leaf and root, the shortest way from there, and certificates that
// are valid longest. Where no path is valid, it returns one whose signatures hold, and
// [Verifier.Validate] says what is wrong with it.
//
// Where no path's signatures hold up to a root it returns a [*NoPathError], and a
// [*certificate.TooLargeError] for a leaf that must not be worked with.
func (v *Verifier) Build(leaf *x509.Certificate, pool *Pool, options Options) ([]*x509.Certificate, error) {
	for fetches := 0; ; fetches++ {
		chain, err := newBuilder(v, pool, options).build(leaf)
		none, missing := errors.AsType[*NoPathError](err)
		if !missing || options.Fetch == nil || fetches == maxFetches || none.Fault.Cause != CauseMissing && none.Fault.Cause != CauseOtherKey {
			return chain, err
		}
		found := options.Fetch(none.Last())
		if len(found) == 0 {
			return chain, err
		}
		pool = pool.With(found)
	}
}

// tolerance is what a path may have that is wrong.
type tolerance struct {
	links  verdict // the worst that signatures may be
	faults bool    // whether anything else may be wrong
}

type builder struct {
	judge
	pool        *Pool
	tolerance   tolerance
	tried, most int // issuers: until now, and with what is tolerated now
	givenUp     bool
	best        []*x509.Certificate       // the longest chain whose signatures all hold, or what a [NoPathError] has
	wrong       map[*x509.Certificate]int // faults of an authority, whatever else is in the path
	distance    map[string]int            // certificates from a name up to a root; nil where nobody has asked yet
}

func newBuilder(v *Verifier, pool *Pool, options Options) *builder {
	return &builder{judge: newJudge(v, options), pool: pool, wrong: map[*x509.Certificate]int{}}
}

func (b *builder) build(leaf *x509.Certificate) ([]*x509.Certificate, error) {
	if leaf == nil {
		return nil, errors.New("building the chain: no leaf certificate")
	}
	if err := certificate.CheckSize(leaf); err != nil {
		return nil, fmt.Errorf("building the chain: %w", err)
	}
	alone := []*x509.Certificate{leaf}
	b.best = alone
	for _, b.tolerance = range []tolerance{{signed, false}, {signed, true}} {
		b.distance = nil
		b.most += maxTried
		if whole := b.extend(alone); whole != nil {
			return whole, nil
		}
	}
	proven := b.best
	for _, links := range []verdict{weak, unknown, forged} {
		b.tolerance.links = links
		b.most += maxTried
		whole := b.extend(proven)
		for i := range max(len(whole)-1, 0) {
			if faults := b.link(whole, i); len(faults) > 0 {
				return nil, &NoPathError{whole, faults[0]}
			}
		}
		if whole != nil { // what was given up before
			return whole, nil
		}
	}
	return nil, b.diagnose(proven)
}

// extend returns the first whole path that begins with the chain and is tolerated.
func (b *builder) extend(chain []*x509.Certificate) []*x509.Certificate {
	last := chain[len(chain)-1]
	if b.isRoot(last) {
		if b.tolerance.faults || checkPolicies(chain) < 0 {
			return chain
		}
		return nil
	}
	if len(chain) > len(b.best) {
		b.best = chain
	}
	if len(chain) == maxChain {
		return nil
	}
	for _, issuer := range b.issuers(chain) {
		if slices.ContainsFunc(chain, issuer.Equal) {
			continue
		}
		if b.tried++; b.tried+b.compared/triedPerName > b.most || b.cost > maxCost {
			b.givenUp = true
			return nil
		}
		longer := append(slices.Clip(chain), issuer)
		if b.verdict(last, issuer) > b.tolerance.links || !b.tolerance.faults && len(b.added(longer)) > 0 {
			continue
		}
		if whole := b.extend(longer); whole != nil {
			return whole
		}
	}
	return nil
}

// added finds what is wrong because of a chain's last certificate.
func (b *builder) added(chain []*x509.Certificate) []Fault {
	i := len(chain) - 1
	return slices.Concat(b.alone(i, chain[i]), mayIssue(i, chain[i], chain[i].Version < 3 && b.isRoot(chain[i])), b.below(chain, i))
}

// issuers returns what may have issued a chain's last certificate, the best first. One
// whose name is spelled differently may where nothing better is left.
func (b *builder) issuers(chain []*x509.Certificate) []*x509.Certificate {
	last := chain[len(chain)-1]
	list := b.pool.named(last.RawIssuer)
	if b.tolerance.links > signed {
		list = slices.Concat(list, b.pool.reading(last.RawIssuer))
	}
	if len(list) < 2 {
		return list
	}
	if b.distance == nil {
		b.distance = b.distances(last.RawIssuer)
	}
	type candidate struct {
		cert *x509.Certificate
		rank [4]int
	}
	candidates := make([]candidate, len(list))
	for i, cert := range list {
		distance, direct := 0, 0
		if !selfIssued(cert) {
			distance = cmp.Or(b.distance[string(cert.RawIssuer)], maxChain)
		} else if len(chain) == 1 {
			direct = 1
		}
		candidates[i] = candidate{cert, [4]int{compareKeyID(last, cert), direct, distance, b.faultsOf(cert)}}
	}
	slices.SortFunc(candidates, func(x, y candidate) int {
		return cmp.Or(slices.Compare(x.rank[:], y.rank[:]), y.cert.NotAfter.Compare(x.cert.NotAfter), bytes.Compare(x.cert.Raw, y.cert.Raw))
	})
	for i := range candidates {
		list[i] = candidates[i].cert
	}
	return slices.CompactFunc(list, (*x509.Certificate).Equal)
}

// faultsOf counts what is wrong with an authority, whatever else is in the path.
func (b *builder) faultsOf(cert *x509.Certificate) int {
	wrong, known := b.wrong[cert]
	if !known {
		wrong = len(b.alone(1, cert)) + len(mayIssue(1, cert, cert.Version < 3 && selfIssued(cert)))
		b.wrong[cert] = wrong
	}
	return wrong
}

// distances tells how many certificates, going by names alone, lead from each name that
// is above this one up to a self-issued certificate. Where faults are not tolerated, it
// passes over certificates that have some.
func (b *builder) distances(subject []byte) map[string]int {
	var certs []*x509.Certificate
	seen := map[string]bool{string(subject): true}
	for open := [][]byte{subject}; len(open) > 0; open = open[1:] {
		for _, cert := range b.pool.named(open[0]) {
			if !b.tolerance.faults && b.faultsOf(cert) > 0 {
				continue
			}
			certs = append(certs, cert)
			if !seen[string(cert.RawIssuer)] {
				seen[string(cert.RawIssuer)] = true
				open = append(open, cert.RawIssuer)
			}
		}
	}
	distance := map[string]int{}
	for n := 1; n < maxChain; n++ {
		for _, cert := range certs {
			above := distance[string(cert.RawIssuer)]
			if distance[string(cert.RawSubject)] == 0 && (selfIssued(cert) || above > 0 && above < n) {
				distance[string(cert.RawSubject)] = n
			}
		}
	}
	return distance
}

// diagnose says why nothing leads on from a chain whose signatures hold.
func (b *builder) diagnose(proven []*x509.Certificate) *NoPathError {
	at := len(proven) - 1
	last := proven[at]
	issuers := b.issuers(proven)
	others := slices.DeleteFunc(slices.Clone(issuers), func(cert *x509.Certificate) bool { return slices.ContainsFunc(proven, cert.Equal) })
	switch {
	case b.givenUp && b.pool.leadsToRoot(last):
		return &NoPathError{proven, fault(CauseGivenUp, at, "%s may have been issued by each of %d certificates of the name %s, and too much time was spent on trying them; give the certificates of its own authorities alone",
			certificate.Subject(last), len(issuers), last.Issuer)}
	case len(others) > 0 && at+1 < maxChain && b.verdict(last, others[0]) > signed:
		proven = append(slices.Clip(proven), others[0])
	case len(issuers) > 0 && !selfIssued(last):
		return &NoPathError{proven, fault(CauseNoRoot, at, "the authorities above %s lead to no root: they certify each other, or there are too many", certificate.Subject(last))}
	}
	return &NoPathError{proven, b.link(proven, at)[0]}
}
