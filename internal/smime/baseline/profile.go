package baseline

import (
	"crypto/x509"
	"slices"
	"strings"
)

// Validation says what the authority has verified (SMBR section 1.6.1).
type Validation int

// The validation types, as the arc of their policies (SMBR section 7.1.6.1).
const (
	Mailbox      Validation = 1 // the address alone
	Organization Validation = 2
	Sponsored    Validation = 3 // a person of an organization
	Individual   Validation = 4
)

// Generation says how strict the requirements are.
type Generation int

// The generations, as the arc of their policies. No certificate of the legacy one may
// be issued since 15 July 2025.
const (
	Legacy       Generation = 1
	Multipurpose Generation = 2
	Strict       Generation = 3
)

// Profile is what a certificate is judged by. The zero value stands for one that names
// none: what depends on it is not judged.
type Profile struct {
	Validation Validation
	Generation Generation
}

// profilesOf returns the profiles that a certificate's policies name: those below
// 2.23.140.1.5.
func profilesOf(cert *x509.Certificate) (profiles []Profile) {
	for _, policy := range cert.Policies {
		arcs, ok := strings.CutPrefix(policy.String(), "2.23.140.1.5.")
		if !ok || len(arcs) != 3 || arcs[1] != '.' {
			continue
		}
		profile := Profile{Validation(arcs[0] - '0'), Generation(arcs[2] - '0')}
		if profile.is(Mailbox, Organization, Sponsored, Individual) && Legacy <= profile.Generation && profile.Generation <= Strict && !slices.Contains(profiles, profile) {
			profiles = append(profiles, profile)
		}
	}
	return profiles
}

// is reports whether the certificate is of one of the validation types.
func (p Profile) is(types ...Validation) bool { return slices.Contains(types, p.Validation) }

// modern reports whether the generation is multipurpose or strict.
func (p Profile) modern() bool { return p.Generation >= Multipurpose }
