package smime

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// The reasons why certificates are not what the Admin console asks for with a root that
// an administrator adds (support.google.com/a/answer/13297070); [NewAdminBundle] wraps
// them.
var (
	ErrNoRoot         = errors.New("there is no root among the certificates")
	ErrSeveralRoots   = errors.New("there is more than one root among the certificates")
	ErrNoIntermediate = errors.New("there is no intermediate among the certificates")
	ErrForeignPart    = errors.New("not every authority leads to the root")
	ErrAuthorityKey   = errors.New("an authority has a key that Gmail does not take")
	ErrNoSample       = errors.New("no end-user certificate can be registered under the root")
)

// AdminBundle is what the Admin console takes in one PEM file, for a root that an
// administrator adds.
type AdminBundle struct {
	Root          *x509.Certificate
	Intermediates []*x509.Certificate // at least one; each leads to the root
	// Sample is an end-user certificate, by which Google verifies the chain; nil where
	// none was given, and then "Google performs minimal verification".
	Sample   *x509.Certificate
	Findings []Finding // about the sample's chain, by the public profile
}

// Certificates returns what is in the file: sample, intermediates, root.
func (b *AdminBundle) Certificates() []*x509.Certificate {
	var list []*x509.Certificate
	if b.Sample != nil {
		list = append(list, b.Sample)
	}
	return append(append(list, b.Intermediates...), b.Root)
}

// NewAdminBundle sorts certificates into a bundle: exactly one root, the intermediates
// below it, and the first end-user certificate that is valid under it and can be
// registered. The error says what is missing or too much.
func NewAdminBundle(v *certpath.Verifier, certs []*x509.Certificate, now time.Time) (*AdminBundle, error) {
	var roots, authorities, leaves []*x509.Certificate
	for _, cert := range certs {
		list := &leaves
		switch selfSigned := v.IsSelfSigned(cert); {
		case selfSigned && (cert.IsCA || cert.Version < 3):
			list = &roots
		case cert.IsCA:
			list = &authorities
		}
		if !slices.ContainsFunc(*list, cert.Equal) {
			*list = append(*list, cert)
		}
	}
	switch {
	case len(roots) == 0:
		return nil, ErrNoRoot
	case len(roots) > 1:
		return nil, fmt.Errorf("%w: %s", ErrSeveralRoots, subjects(roots))
	case len(authorities) == 0:
		return nil, ErrNoIntermediate
	}
	for _, authority := range slices.Concat(authorities, roots) {
		if key := publicKey(authority); !acceptedKey(key) {
			return nil, fmt.Errorf("%w: the key of %s is %s", ErrAuthorityKey, subject(authority), certificate.PublicKeyName(key))
		}
	}
	pool, depth := certpath.NewPool(slices.Concat(authorities, roots)), map[*x509.Certificate]int{}
	for _, authority := range authorities {
		chain, err := v.Build(authority, pool, certpath.Options{Now: now, Mail: true})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForeignPart, err)
		}
		for _, fault := range v.Validate(chain, certpath.Options{Now: now, Mail: true}) {
			return nil, fmt.Errorf("%w: %s", ErrForeignPart, fault.Text)
		}
		depth[authority] = len(chain)
	}
	slices.SortStableFunc(authorities, func(a, b *x509.Certificate) int { return depth[b] - depth[a] })
	bundle := &AdminBundle{Root: roots[0], Intermediates: authorities}
	return bundle, bundle.addSample(v, leaves, pool, now)
}

func (b *AdminBundle) addSample(v *certpath.Verifier, leaves []*x509.Certificate, pool *certpath.Pool, now time.Time) error {
	var refused error
	for _, leaf := range leaves {
		chain, err := v.Build(leaf, pool, certpath.Options{Now: now, Mail: true})
		if err == nil {
			b.Findings = Check(v, chain, CheckOptions{Use: UseOf(leaf), Now: now})
			if !HasErrors(b.Findings) {
				b.Sample = leaf
				return nil
			}
			err = errors.New(firstError(b.Findings))
		}
		if refused == nil {
			refused = fmt.Errorf("%w: %s: %w", ErrNoSample, subject(leaf), err)
		}
	}
	return refused
}

func firstError(findings []Finding) string {
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
	return fmt.Sprintf("%s (%s)", findings[i].Message, findings[i].ID)
}

func subjects(certs []*x509.Certificate) string {
	var names []string
	for _, cert := range certs {
		names = append(names, subject(cert))
	}
	return strings.Join(names, "; ")
}
