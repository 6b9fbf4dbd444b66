package prepare

import (
	"crypto/x509"
	"slices"
)

// authorities are the certificates that chains are completed from, by subject.
type authorities map[string][]*x509.Certificate

func newAuthorities(chain []*x509.Certificate) authorities {
	a := authorities{}
	for _, cert := range chain {
		if cert != nil {
			a[string(cert.RawSubject)] = append(a[string(cert.RawSubject)], cert)
		}
	}
	return a
}

// pool is what a leaf's chain may be built from: what its file had, and of the
// authorities those that can be above it, so that a bundle of hundreds costs no
// more than one.
func (a authorities) pool(leaf *x509.Certificate, parts []*x509.Certificate) []*x509.Certificate {
	pool := slices.Clone(parts)
	asked := map[string]bool{}
	for _, cert := range append([]*x509.Certificate{leaf}, parts...) {
		pool = a.above(pool, cert, asked)
	}
	return pool
}

// above adds the possible issuers of a certificate, theirs, and so on.
func (a authorities) above(pool []*x509.Certificate, cert *x509.Certificate, asked map[string]bool) []*x509.Certificate {
	if asked[string(cert.RawIssuer)] {
		return pool
	}
	asked[string(cert.RawIssuer)] = true
	for _, issuer := range a[string(cert.RawIssuer)] {
		pool = a.above(append(pool, issuer), issuer, asked)
	}
	return pool
}
