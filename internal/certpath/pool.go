package certpath

import (
	"bytes"
	"crypto/x509"
	"slices"
	"sync"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// Pool is what paths are built from: certificates in any order, found by their subject.
// It does not change and is safe for concurrent use.
type Pool struct {
	shared    *Pool // asked as well, nil for none
	bySubject map[string][]*x509.Certificate
	spellings func() map[string][]*x509.Certificate // by what the subject reads, however it is encoded
}

// NewPool returns a pool of the certificates without nils and those that must not be
// worked with (see [certificate.CheckSize]).
func NewPool(certs []*x509.Certificate) *Pool { return (*Pool)(nil).With(certs) }

// With returns a pool that has further certificates; the receiver is shared, not copied.
func (p *Pool) With(certs []*x509.Certificate) *Pool {
	with := &Pool{shared: p, bySubject: map[string][]*x509.Certificate{}}
	for _, cert := range certs {
		if cert != nil && certificate.CheckSize(cert) == nil {
			with.bySubject[string(cert.RawSubject)] = append(with.bySubject[string(cert.RawSubject)], cert)
		}
	}
	with.spellings = sync.OnceValue(func() map[string][]*x509.Certificate {
		index := map[string][]*x509.Certificate{}
		for _, certs := range with.bySubject {
			name := readName(certs[0].RawSubject).text()
			index[name] = append(index[name], certs...)
		}
		return index
	})
	return with
}

// named returns the certificates whose subject has these octets, doublets included.
func (p *Pool) named(subject []byte) []*x509.Certificate {
	if p == nil {
		return nil
	}
	return slices.Concat(p.bySubject[string(subject)], p.shared.named(subject))
}

// reading returns the certificates whose subject reads the same, but has other octets.
func (p *Pool) reading(subject []byte) []*x509.Certificate {
	if p == nil {
		return nil
	}
	certs := append(slices.Clone(p.spellings()[readName(subject).text()]), p.shared.reading(subject)...)
	return slices.DeleteFunc(certs, func(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, subject) })
}

// contains reports whether the pool has the certificate.
func (p *Pool) contains(cert *x509.Certificate) bool {
	return p != nil && slices.ContainsFunc(p.named(cert.RawSubject), cert.Equal)
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
