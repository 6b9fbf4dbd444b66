package smime_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// statuses is a status for the leaf and one for everything else.
func statuses(leaf, others certificate.Revocation) func(cert, issuer *x509.Certificate) certificate.Revocation {
	return func(cert, _ *x509.Certificate) certificate.Revocation {
		if cert.IsCA {
			return others
		}
		return leaf
	}
}

var (
	good    = certificate.Revocation{State: certificate.RevocationGood}
	revoked = certificate.Revocation{State: certificate.RevocationRevoked, At: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Reason: "keyCompromise", Source: crlURL}
	unknown = certificate.Revocation{State: certificate.RevocationUnknown, Err: errors.New("no answer")}
)

// statusViolations are those of the rules about what cannot be seen in a certificate.
func statusViolations() []violation {
	return []violation{
		{"chain-revoked", "leaf", nil, "leaf", func(_ *testing.T, v *variant) { v.options.Revocation = statuses(revoked, good) }},
		{"chain-revoked", "intermediate 1", nil, "intermediate", func(_ *testing.T, v *variant) { v.options.Revocation = statuses(good, revoked) }},
		{"chain-revocation-unknown", "leaf", nil, "", func(_ *testing.T, v *variant) { v.options.Revocation = statuses(unknown, good) }},
		{"chain-revocation-required", "intermediate 1", nil, "", func(_ *testing.T, v *variant) {
			v.options.Revocation, v.options.RevocationRequired = statuses(good, unknown), true
		}},
	}
}

// TestRevocationIsAskedOfTheIssuer: with the issuer of each certificate but the root, and
// only of chains that hold.
func TestRevocationIsAskedOfTheIssuer(t *testing.T) {
	v := newVariant(t)
	chain := v.chain(t)
	var asked []*x509.Certificate
	v.options.Revocation = func(cert, issuer *x509.Certificate) certificate.Revocation {
		asked = append(asked, cert, issuer)
		return good
	}
	if findings := smime.Check(new(certpath.Verifier), chain, v.options); len(findings) > 0 {
		t.Errorf("%+v", findings)
	}
	if want := []*x509.Certificate{chain[0], chain[1], chain[1], chain[2]}; !slices.EqualFunc(asked, want, (*x509.Certificate).Equal) {
		t.Errorf("asked for %d certificates", len(asked))
	}
	asked = nil
	v.options.Email = "other@example.com"
	smime.Check(new(certpath.Verifier), chain, v.options)
	smime.Check(new(certpath.Verifier), nil, v.options)
	if len(asked) > 0 {
		t.Errorf("of a chain with errors %d certificates were asked for", len(asked))
	}
}
