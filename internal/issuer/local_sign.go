package issuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// Issue signs a leaf and keeps it in the CA's record. What was issued for the same request
// before, and is neither revoked nor in the second half of its life, is returned again.
func (l *Local) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkContent(csr, request.Email); err != nil {
		return nil, err
	}
	template, err := l.template(csr, request)
	if err != nil {
		return nil, err
	}
	// Two desks with the same request get the same certificate.
	unlock, err := l.record.Lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("local CA: %w", err)
	}
	defer unlock()
	known, err := l.record.Find(csr.PublicKey, l.options.Now())
	if err != nil {
		return nil, fmt.Errorf("local CA: %w", err)
	}
	for _, issued := range known {
		// The same was asked before, and the answer did not arrive. Late in its life it is
		// a renewal.
		half := issued.NotBefore.Add(issued.NotAfter.Sub(issued.NotBefore) / 2)
		if l.options.Now().Before(half) && issued.KeyUsage == template.KeyUsage && slices.Equal(issued.EmailAddresses, template.EmailAddresses) && issued.CheckSignatureFrom(l.chain[0]) == nil {
			return append([]*x509.Certificate{issued}, l.chain...), nil
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, l.chain[0], csr.PublicKey, l.key)
	if err != nil {
		return nil, fmt.Errorf("local CA: sign the certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("local CA: read back the certificate: %w", err)
	}
	if err := l.record.Keep(leaf); err != nil {
		return nil, fmt.Errorf("local CA: %w", err)
	}
	return append([]*x509.Certificate{leaf}, l.chain...), nil
}

// checkContent makes sure that the request asks for that address and nothing
// else: a certificate for it must not speak for another name.
func checkContent(csr *x509.CertificateRequest, email string) error {
	switch {
	case len(csr.EmailAddresses) != 1 || !strings.EqualFold(csr.EmailAddresses[0], email):
		return fmt.Errorf("%w: it is for %q, not for %q", ErrRequest, strings.Join(csr.EmailAddresses, ", "), email)
	case len(csr.DNSNames)+len(csr.IPAddresses)+len(csr.URIs) > 0:
		return fmt.Errorf("%w: it asks for names that are no e-mail addresses", ErrRequest)
	}
	for _, c := range []byte(email) {
		if c >= 0x80 {
			return fmt.Errorf("%w: %q cannot be an rfc822Name, which is ASCII only", ErrRequest, email)
		}
	}
	return nil
}

// template follows Google's S/MIME profile for end entities.
func (l *Local) template(csr *x509.CertificateRequest, request Request) (*x509.Certificate, error) {
	usage, err := keyUsage(csr.PublicKey, request.Use)
	if err != nil {
		return nil, err
	}
	notBefore, notAfter, err := l.validity()
	if err != nil {
		return nil, err
	}
	serial, err := ca.NewSerial()
	if err != nil {
		return nil, err
	}
	// RFC 7093 §2, method 1.
	keyID := sha256.Sum256(csr.RawSubjectPublicKeyInfo)
	template := &x509.Certificate{
		SerialNumber:   serial,
		Subject:        pkix.Name{CommonName: commonName(csr, request.Email)},
		NotBefore:      notBefore,
		NotAfter:       notAfter,
		KeyUsage:       usage,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses: []string{request.Email},
		Policies:       l.policies,
		SubjectKeyId:   keyID[:20],
	}
	if l.options.CRLURL != "" {
		template.CRLDistributionPoints = []string{l.options.CRLURL}
	}
	if l.options.IssuerURL != "" {
		template.IssuingCertificateURL = []string{l.options.IssuerURL}
	}
	return template, nil
}

// validity starts a little early, for clocks that lag, and ends before any
// certificate of the chain does.
func (l *Local) validity() (notBefore, notAfter time.Time, err error) {
	now := l.options.Now().UTC().Truncate(time.Second)
	notBefore = now.Add(-5 * time.Minute)
	notAfter = now.AddDate(0, l.options.Months, 0).Add(-5 * time.Minute)
	for _, c := range l.chain {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return now, now, fmt.Errorf("local CA: the certificate %q is not valid now (from %s to %s)",
				c.Subject, format.Day(c.NotBefore), format.Day(c.NotAfter))
		}
		if c.NotAfter.Before(notAfter) {
			notAfter = c.NotAfter
		}
		if c.NotBefore.After(notBefore) {
			notBefore = c.NotBefore
		}
	}
	return notBefore, notAfter, nil
}

// keyUsage is what Gmail's profile allows for the key: digitalSignature always,
// also for encryption, because a leaf without it fails a strict reading; and
// what the use adds, by type of key. Other types of keys Gmail does not take.
func keyUsage(key crypto.PublicKey, use certificate.Use) (x509.KeyUsage, error) {
	var encrypt x509.KeyUsage
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch k.N.BitLen() {
		case 2048, 3072, 4096:
		default:
			return 0, fmt.Errorf("%w: Gmail does not take RSA keys of %d bits", ErrRequest, k.N.BitLen())
		}
		encrypt = x509.KeyUsageKeyEncipherment
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return 0, fmt.Errorf("%w: Gmail does not take keys on this curve", ErrRequest)
		}
		encrypt = x509.KeyUsageKeyAgreement
	default:
		return 0, fmt.Errorf("%w: Gmail takes RSA keys and P-256 or P-384 only", ErrRequest)
	}
	if use == certificate.UseSign {
		return x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, nil
	}
	return x509.KeyUsageDigitalSignature | encrypt, nil
}

// commonName keeps a person's name of the request. An address there would have
// to be repeated among the alternative names, so only the request's own is used.
func commonName(csr *x509.CertificateRequest, email string) string {
	const longest = 64 // ub-common-name, RFC 5280 appendix A.1
	name := csr.Subject.CommonName
	if name == "" || strings.Contains(name, "@") || len(name) > longest {
		name = email
	}
	if len(name) > longest {
		return ""
	}
	return name
}
