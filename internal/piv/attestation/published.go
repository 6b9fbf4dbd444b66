package attestation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// ErrPreview is returned for Yubico's preview authorities, whose cards are samples.
var ErrPreview = errors.New("it is a preview authority, which is never trusted")

// Publication is a file of certificates, such as Yubico publishes them, sorted.
type Publication struct {
	// Kept are the authorities that lead to a pinned root of Yubico's.
	Kept []*x509.Certificate
	// LeftOut are the others, but for the pinned roots themselves.
	LeftOut []LeftOut
}

// LeftOut is a certificate that is not kept, and why: the error matches ErrPreview,
// ErrExpired or ErrUntrustedRoot.
type LeftOut struct {
	Certificate *x509.Certificate
	Err         error
}

// Published sorts certificates: which of them are authorities below one of Yubico's pinned
// roots at a time. Doublets are dropped. That one is kept says nothing about what it may
// issue: [Verify] judges each path.
func Published(certs []*x509.Certificate, now time.Time) (sorted Publication) {
	roots := YubicoTrust().Roots
	s := &search{now: now}
	var open []LeftOut
	for _, cert := range certs {
		switch {
		case cert == nil, slices.ContainsFunc(roots, cert.Equal),
			slices.ContainsFunc(open, func(l LeftOut) bool { return l.Certificate.Equal(cert) }):
		default:
			open = append(open, LeftOut{cert, fmt.Errorf("%w: nothing that leads to a root of Yubico's issued it", ErrUntrustedRoot)})
		}
	}
	// An authority may stand before the one that issued it.
	for found := true; found; {
		found = false
		var still []LeftOut
		for _, left := range open {
			left.Err = s.judge(left, slices.Concat(roots, sorted.Kept))
			if left.Err == nil {
				sorted.Kept, found = append(sorted.Kept, left.Certificate), true
				continue
			}
			still = append(still, left)
		}
		open = still
	}
	sorted.LeftOut = open
	return sorted
}

// judge returns nil for a certificate that one of the issuers made an authority.
func (s *search) judge(left LeftOut, issuers []*x509.Certificate) error {
	cert := left.Certificate
	if strings.Contains(strings.ToLower(cert.Subject.CommonName), "preview") {
		return fmt.Errorf("%w: %q", ErrPreview, safetext.Clean(cert.Subject.String()))
	}
	issued := slices.ContainsFunc(issuers, func(issuer *x509.Certificate) bool {
		return !bytes.Equal(cert.RawSubject, cert.RawIssuer) && s.issued(issuer, cert)
	})
	if !issued {
		return left.Err
	}
	if err := checkTime(cert, s.now); err != nil {
		return err
	}
	return checkIntermediate(cert, 0) // how deep it stands shows in a path only
}

// With returns the trust with further intermediates, doublets left out.
func (t Trust) With(more []*x509.Certificate) Trust {
	t.Intermediates = slices.Clone(t.Intermediates)
	for _, cert := range more {
		if !slices.ContainsFunc(t.Intermediates, cert.Equal) {
			t.Intermediates = append(t.Intermediates, cert)
		}
	}
	return t
}
