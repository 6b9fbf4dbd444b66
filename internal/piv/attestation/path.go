package attestation

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

const (
	// maxPath bounds a path's length, device certificate and root included.
	maxPath = 8
	// maxCost bounds the signatures checked in one search, so that a heap of
	// certificates with one name cannot keep it busy; see [certificate.Cost].
	maxCost = 2000
	// minRSABits is the least modulus of a key that signs attestations.
	minRSABits = 2048
)

// search looks for a path from a device certificate to a root.
//
// x509.Certificate.Verify is not used: it refuses device certificates of
// firmware 4.3 and 5.2.4, which lack basicConstraints, and the U2F root's path
// length of 0, and it lets any CA under the root issue a device certificate.
type search struct {
	trust Trust
	pool  []*x509.Certificate
	now   time.Time
	cost  int
	why   error // the most telling refusal so far
}

// findPath returns device … root.
func findPath(device *x509.Certificate, offered []*x509.Certificate, trust Trust, now time.Time) ([]*x509.Certificate, error) {
	s := &search{trust: trust, pool: slices.Concat(offered, trust.Intermediates), now: now}
	if path := s.extend([]*x509.Certificate{device}); path != nil {
		return path, nil
	}
	if s.why != nil {
		return nil, s.why
	}
	return nil, fmt.Errorf("%w: no certificate at hand for its issuer %q", ErrUntrustedRoot, safetext.Clean(device.Issuer.String()))
}

// extend returns a complete path that begins with path, or nil.
func (s *search) extend(path []*x509.Certificate) []*x509.Certificate {
	last := path[len(path)-1]
	if len(path) >= maxPath {
		return nil
	}
	for _, root := range s.trust.Roots {
		if root == nil || !s.issued(root, last) || slices.ContainsFunc(path, root.Equal) {
			continue
		}
		whole := append(slices.Clip(path), root)
		if err := s.checkWhole(whole); err != nil {
			s.note(err)
			continue
		}
		return whole
	}
	for _, ca := range s.pool {
		if ca == nil || !s.issued(ca, last) || slices.ContainsFunc(path, ca.Equal) {
			continue
		}
		if err := checkIntermediate(ca, len(path)); err != nil {
			s.note(err)
			continue
		}
		if whole := s.extend(append(slices.Clip(path), ca)); whole != nil {
			return whole
		}
	}
	return nil
}

// issued tells whether ca's name and key are the issuer of cert.
func (s *search) issued(ca, cert *x509.Certificate) bool {
	if !bytes.Equal(ca.RawSubject, cert.RawIssuer) {
		return false
	}
	if s.cost += certificate.Cost(ca.PublicKey); s.cost > maxCost {
		return false
	}
	if err := checkSignature(ca, cert); err != nil {
		s.note(fmt.Errorf("%w: %q is not signed by %q: %v", ErrUntrustedRoot,
			safetext.Clean(cert.Subject.String()), safetext.Clean(ca.Subject.String()), err))
		return false
	}
	return true
}

// checkWhole checks what can be told only when the root is known.
func (s *search) checkWhole(path []*x509.Certificate) error {
	for _, cert := range path {
		if err := checkTime(cert, s.now); err != nil {
			return err
		}
	}
	if err := checkDevice(path[0], len(path) == 2); err != nil {
		return err
	}
	return checkDeviceIssuer(path)
}

// note keeps the refusal that tells most: a wrong kind of certificate on an
// otherwise good path says more than a path that leads nowhere.
func (s *search) note(err error) {
	if s.why == nil || errors.Is(s.why, ErrUntrustedRoot) && !errors.Is(err, ErrUntrustedRoot) {
		s.why = err
	}
}

// checkSignature checks that ca's key signed cert, with an algorithm that is
// still good. It says nothing about whether ca may sign.
func checkSignature(ca, cert *x509.Certificate) error {
	switch cert.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
		x509.PureEd25519:
	default:
		return fmt.Errorf("signature algorithm %v is not accepted", cert.SignatureAlgorithm)
	}
	if key, ok := ca.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
		return fmt.Errorf("signing key of %d bits is too short", key.N.BitLen())
	}
	if err := certificate.CheckKey(ca.PublicKey); err != nil {
		return err
	}
	return ca.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
}

// checkIntermediate checks that a certificate may issue (RFC 5280 section
// 6.1.4); below counts the certificates that may issue between it and the slot
// certificate. Roots are not checked so: they are trusted as they are, and the
// U2F root, with a path length of 0, signed device certificates.
func checkIntermediate(ca *x509.Certificate, below int) error {
	if below == 1 {
		if err := checkIssuerName(ca); err != nil {
			return err
		}
	}
	name := safetext.Clean(ca.Subject.String())
	switch {
	case ca.Version != 3 || !ca.BasicConstraintsValid || !ca.IsCA:
		return fmt.Errorf("%w: %q is not a CA certificate", ErrUntrustedRoot, name)
	case ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%w: %q may not sign certificates", ErrUntrustedRoot, name)
	case (ca.MaxPathLen > 0 || ca.MaxPathLenZero) && ca.MaxPathLen < below:
		return fmt.Errorf("%w: %q allows a path of %d, not %d", ErrUntrustedRoot, name, ca.MaxPathLen, below)
	case len(ca.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("%w: %q has an unknown critical extension %v", ErrUntrustedRoot, name, ca.UnhandledCriticalExtensions[0])
	}
	return nil
}

// checkTime checks the validity period. Cards have no clock: slot and device
// certificates carry the dates of the authority, up to 9999-12-31.
func checkTime(cert *x509.Certificate, now time.Time) error {
	name := safetext.Clean(cert.Subject.String())
	if now.Before(cert.NotBefore) {
		return fmt.Errorf("%w: %q is valid from %s, and this computer's clock says %s",
			ErrExpired, name, format.Day(cert.NotBefore), format.Day(now))
	}
	if now.After(cert.NotAfter) {
		return fmt.Errorf("%w: %q was valid until %s", ErrExpired, name, format.Day(cert.NotAfter))
	}
	return nil
}
