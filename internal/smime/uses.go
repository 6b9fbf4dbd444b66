package smime

import (
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// Uses returns what a chain can be registered for without an error of [Check], the most
// useful first: for both uses as a single key pair, or as the signing or encrypting half
// of two. Options.Use is not asked.
func Uses(v *certpath.Verifier, chain []*x509.Certificate, options CheckOptions) []certificate.Use {
	if len(chain) == 0 {
		return nil
	}
	sign, encrypt := Allows(chain[0])
	var uses []certificate.Use
	for _, candidate := range []struct {
		use     certificate.Use
		allowed bool
	}{{certificate.UseBoth, sign && encrypt}, {certificate.UseSign, sign}, {certificate.UseEncrypt, encrypt}} {
		options.Use = candidate.use
		if candidate.allowed && !HasErrors(Check(v, chain, options)) {
			uses = append(uses, candidate.use)
		}
	}
	return uses
}

// NeedsRelaxed reports whether, by those findings, the root has to be added in the Admin
// console with a relaxed validation profile.
func NeedsRelaxed(findings []Finding) bool {
	for _, f := range findings {
		if f.ID == ruleRelaxed {
			return true
		}
	}
	return false
}

// UseOf returns what a leaf is registered for where nobody says it: what its key usage
// allows.
func UseOf(leaf *x509.Certificate) certificate.Use {
	switch sign, encrypt := Allows(leaf); {
	case sign && !encrypt:
		return certificate.UseSign
	case encrypt && !sign:
		return certificate.UseEncrypt
	}
	return certificate.UseBoth
}
