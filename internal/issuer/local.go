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
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// DefaultPolicy is the certificate policy asserted where neither the options nor
// the issuing certificate name one. Gmail wants a policy that is not anyPolicy;
// this one lies under 2.25, the arc of UUIDs (ITU-T X.667), and claims nothing.
const DefaultPolicy = "2.25.53386874589497623344611277342630799495"

// defaultValidity and maxValidity of leaves, in months: 27 is the longest that
// Gmail takes from publicly trusted roots.
const (
	defaultValidity = 12
	maxValidity     = 27
)

// Options of a local CA.
type Options struct {
	// CRLURL is where relying parties fetch the CA's revocation list: http.
	CRLURL string
	// IssuerURL is where they fetch the issuing certificate: http, optional.
	IssuerURL string
	// Policies are the certificate policies in dotted form; empty means those of
	// the issuing certificate, or else DefaultPolicy.
	Policies []string
	// Months is the validity of leaves (default 12, at most 27). No leaf
	// outlives a certificate above it.
	Months int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Local signs with a CA key at hand.
type Local struct {
	chain    []*x509.Certificate // issuing first
	key      crypto.Signer
	options  Options
	policies []x509.OID
	record   ca.Record
	warnings []string
}

// NewLocal reads the issuing certificate, followed by those above it, and its
// private key (PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted).
func NewLocal(certFile, keyFile string, options Options) (*Local, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Months == 0 {
		options.Months = defaultValidity
	}
	if options.Months < 0 || options.Months > maxValidity {
		return nil, fmt.Errorf("local CA: a validity of %d months is outside 1 to %d", options.Months, maxValidity)
	}
	l := &Local{options: options, record: ca.RecordOf(certFile)}
	if err := l.readKey(keyFile); err != nil {
		return nil, err
	}
	data, err := durable.ReadFile(certFile, certificate.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("local CA: certificate: %w", err)
	}
	certs, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("local CA: %s: %w", certFile, err)
	}
	if l.chain, err = leafFirst(certs, l.key.Public()); err != nil {
		return nil, fmt.Errorf("local CA: %s: %w than the one in %s", certFile, err, keyFile)
	}
	if err := l.checkIssuing(); err != nil {
		return nil, fmt.Errorf("local CA: %s: %w", certFile, err)
	}
	return l, l.choosePolicies()
}

func (l *Local) readKey(path string) error {
	file, err := durable.Open(path)
	if err != nil {
		return fmt.Errorf("local CA: key: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("local CA: key: %w", err)
	}
	if mode := info.Mode(); runtime.GOOS != "windows" {
		switch {
		case mode.Perm()&0o007 != 0:
			return &OpenKeyError{Path: path, Mode: mode.Perm()}
		case mode.Perm()&0o070 != 0:
			l.warnings = append(l.warnings, fmt.Sprintf("the CA key %s is open to its group (mode %04o): chmod 600 %s", path, mode.Perm(), path))
		}
	}
	data, err := durable.ReadAll(file, certificate.MaxFile)
	if err != nil {
		return fmt.Errorf("local CA: key: %w", err)
	}
	defer clear(data)
	if l.key, err = parseKey(data); err != nil {
		return fmt.Errorf("local CA: key %s: %w", path, err)
	}
	return nil
}

// OpenKeyError is a CA's key that everybody on this machine can read; it matches
// [fs.ErrPermission].
type OpenKeyError struct {
	Path string
	Mode fs.FileMode
}

// Error names the file and its mode.
func (e *OpenKeyError) Error() string {
	return fmt.Sprintf("local CA: key %s is open to everyone on this machine (mode %04o): %v", e.Path, e.Mode, fs.ErrPermission)
}

// Unwrap returns [fs.ErrPermission].
func (e *OpenKeyError) Unwrap() error { return fs.ErrPermission }

func (l *Local) checkIssuing() error {
	issuing := l.chain[0]
	if !issuing.IsCA || !issuing.BasicConstraintsValid {
		return errors.New("is not a CA certificate")
	}
	if issuing.KeyUsage != 0 && issuing.KeyUsage&x509.KeyUsageCertSign == 0 {
		return errors.New("is not allowed to sign certificates (key usage)")
	}
	if issuing.CheckSignatureFrom(issuing) == nil {
		l.warnings = append(l.warnings, "the issuing certificate is a root: Gmail wants an intermediate between root and leaf")
	}
	if l.options.CRLURL == "" {
		l.warnings = append(l.warnings, "no CRL URL is configured for the local CA: Gmail's profile wants one in every leaf")
	}
	return nil
}

func (l *Local) choosePolicies() error {
	names := l.options.Policies
	if len(names) == 0 {
		for _, p := range l.chain[0].Policies {
			if p.String() != anyPolicy {
				names = append(names, p.String())
			}
		}
	}
	if len(names) == 0 {
		names = []string{DefaultPolicy}
	}
	for _, name := range names {
		oid, err := x509.ParseOID(name)
		if err != nil || name == anyPolicy {
			return fmt.Errorf("local CA: %q cannot be used as certificate policy", name)
		}
		l.policies = append(l.policies, oid)
	}
	return nil
}

const anyPolicy = "2.5.29.32.0"

// Name is "local" and the name of the issuing certificate.
func (l *Local) Name() string { return "local " + l.chain[0].Subject.String() }

// Warnings lists what Gmail or a careful reader would mind about this CA.
func (l *Local) Warnings() []string { return append([]string(nil), l.warnings...) }

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
				c.Subject, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
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

// SignList signs the revocation list of the CA, or of a root an empty one, and keeps it
// beside the CA's certificate (see [ca.Record]).
func (l *Local) SignList(ctx context.Context, validity time.Duration) (*x509.RevocationList, error) {
	sign, issuing := l.record.SignList, l.chain[0]
	if issuing.CheckSignatureFrom(issuing) == nil {
		sign = l.record.SignRootList
	}
	list, err := sign(ctx, issuing, l.key, l.options.Now(), validity)
	if err != nil {
		return nil, fmt.Errorf("local CA: %w", err)
	}
	return list, nil
}
