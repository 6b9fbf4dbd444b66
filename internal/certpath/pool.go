package certpath

import (
	"bytes"
	"crypto/x509"
	"slices"
	"sort"
	"sync"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// Pool is what paths are built from: certificates in any order, found by their subject.
// It does not change and is safe for concurrent use.
type Pool struct {
	shared    *Pool               // asked as well, nil for none
	certs     []*x509.Certificate // by their subject
	readOnce  sync.Once
	spellings map[string][]*x509.Certificate // by what the subject reads, however it is encoded; made when it is needed
}

// NewPool returns a pool of the certificates without nils and those that must not be
// worked with (see [certificate.CheckSize]).
func NewPool(certs []*x509.Certificate) *Pool { return (*Pool)(nil).With(certs) }

// With returns a pool that has further certificates, where it has not got them; the
// receiver is shared, not copied.
func (p *Pool) With(certs []*x509.Certificate) *Pool {
	further := slices.DeleteFunc(slices.Clone(certs), func(cert *x509.Certificate) bool {
		return cert == nil || certificate.CheckSize(cert) != nil || p.contains(cert)
	})
	if len(further) == 0 {
		return p
	}
	slices.SortStableFunc(further, func(a, b *x509.Certificate) int { return bytes.Compare(a.RawSubject, b.RawSubject) })
	return &Pool{shared: p, certs: further}
}

// readNames makes the index of spellings.
func (p *Pool) readNames() {
	p.spellings = map[string][]*x509.Certificate{}
	for _, cert := range p.certs {
		name := readName(cert.RawSubject).text()
		p.spellings[name] = append(p.spellings[name], cert)
	}
}

// own returns the pool's own certificates, without those it shares, whose subject has
// these octets.
func (p *Pool) own(subject []byte) []*x509.Certificate {
	begin := sort.Search(len(p.certs), func(i int) bool { return bytes.Compare(p.certs[i].RawSubject, subject) >= 0 })
	end := sort.Search(len(p.certs), func(i int) bool { return bytes.Compare(p.certs[i].RawSubject, subject) > 0 })
	return p.certs[begin:end]
}

// named returns the certificates whose subject has these octets, doublets included.
func (p *Pool) named(subject []byte) []*x509.Certificate {
	if p == nil {
		return nil
	}
	return slices.Concat(p.own(subject), p.shared.named(subject))
}

// reading returns the certificates whose subject reads the same, but has other octets.
func (p *Pool) reading(subject []byte) []*x509.Certificate {
	if p == nil {
		return nil
	}
	p.readOnce.Do(p.readNames)
	certs := append(slices.Clone(p.spellings[readName(subject).text()]), p.shared.reading(subject)...)
	return slices.DeleteFunc(certs, func(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, subject) })
}

// contains reports whether the pool has the certificate.
func (p *Pool) contains(cert *x509.Certificate) bool {
	for ; p != nil; p = p.shared {
		if slices.ContainsFunc(p.own(cert.RawSubject), cert.Equal) {
			return true
		}
	}
	return false
}

// leadsToRoot reports whether, going by names alone, certificates of the pool lead from
// this one to a self-issued one.
func (p *Pool) leadsToRoot(cert *x509.Certificate) bool {
	seen := map[string]bool{}
	for open := []*x509.Certificate{cert}; len(open) > 0; open = open[1:] {
		if selfIssued(open[0]) {
			return true
		}
		if name := string(open[0].RawIssuer); !seen[name] {
			seen[name] = true
			open = append(open, p.named(open[0].RawIssuer)...)
		}
	}
	return false
}
