package issuer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
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
	key      *ca.Key
	options  Options
	policies []x509.OID
	record   ca.Record
	warnings []string
}

// NewLocal reads the issuing certificate, followed by those above it, whose private key is
// key. The caller closes the key after the last use of the CA.
func NewLocal(certFile string, key *ca.Key, options Options) (*Local, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Months == 0 {
		options.Months = defaultValidity
	}
	if options.Months < 0 || options.Months > maxValidity {
		return nil, fmt.Errorf("local CA: a validity of %d months is outside 1 to %d", options.Months, maxValidity)
	}
	l := &Local{options: options, record: ca.RecordOf(certFile), key: key, warnings: slices.Clone(key.Warnings)}
	data, err := durable.ReadFile(certFile, certificate.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("local CA: certificate: %w", err)
	}
	certs, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("local CA: %s: %w", certFile, err)
	}
	if l.chain, err = leafFirst(certs, l.key.Public()); err != nil {
		return nil, fmt.Errorf("local CA: %s: %w than the one in %s", certFile, err, key.Name)
	}
	if err := l.checkIssuing(); err != nil {
		return nil, fmt.Errorf("local CA: %s: %w", certFile, err)
	}
	return l, l.choosePolicies()
}

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
