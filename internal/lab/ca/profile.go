package ca

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// Profile is how a certificate deviates from the standard S/MIME profile. The
// zero value is the standard profile.
type Profile struct {
	// NotBefore and NotAfter replace the usual times where they are not zero.
	NotBefore, NotAfter time.Time
	// Emails replaces the request's addresses where not nil; an empty list
	// gives a certificate without an address (and without one in its name).
	Emails []string
	// KeyUsage replaces the usual key usage where not 0.
	KeyUsage x509.KeyUsage
	// ExtKeyUsage replaces emailProtection where not nil.
	ExtKeyUsage []x509.ExtKeyUsage
	// NoCRL leaves out the CRL distribution point.
	NoCRL bool
	// NoPolicies leaves out the certificate policies.
	NoPolicies bool
	// Baseline names the CA/Browser Forum's policy for mailboxes instead of the lab's, as if
	// its requirements for S/MIME were kept to.
	Baseline bool
	// Comment is the text of a Netscape comment, of no use but to make the
	// certificate large; none where empty.
	Comment string
	// ByRoot lets the root sign the leaf itself.
	ByRoot bool
	// AnyKey accepts keys that Gmail does not take, such as RSA-1024, P-521
	// and Ed25519.
	AnyKey bool
	// NoIntermediate leaves the issuing certificate out of the chain that is
	// handed back, and out of EST's cacerts.
	NoIntermediate bool
}

// ErrUnknownProfile is returned by Named.
var ErrUnknownProfile = errors.New("unknown certificate profile")

// Named returns a profile by name, judged at now: "standard", "expired",
// "not-yet-valid", "other-address", "no-address", "no-crl", "server-auth",
// "three-years", "any-key", "by-root", "no-intermediate", "no-policies", "baseline", "large"
// (fits a YubiKey only when packed), "too-large" (does not fit at all).
func Named(name string, now time.Time) (Profile, error) {
	p, ok := profiles(now)[name]
	if !ok {
		return Profile{}, ErrUnknownProfile
	}
	return p, nil
}

// Names returns the names that Named knows, sorted.
func Names() []string { return slices.Sorted(maps.Keys(profiles(time.Time{}))) }

func profiles(now time.Time) map[string]Profile {
	return map[string]Profile{
		"standard":        {},
		"expired":         {NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, -1)},
		"not-yet-valid":   {NotBefore: now.AddDate(0, 0, 7)},
		"other-address":   {Emails: []string{"somebody.else@lab.example"}},
		"no-address":      {Emails: []string{}},
		"no-crl":          {NoCRL: true},
		"server-auth":     {ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
		"three-years":     {NotAfter: now.AddDate(3, 0, 0)},
		"any-key":         {AnyKey: true},
		"by-root":         {ByRoot: true},
		"no-intermediate": {NoIntermediate: true},
		"no-policies":     {NoPolicies: true},
		"baseline":        {Baseline: true},
		"large":           {Comment: strings.Repeat("This certificate is for practice only. ", 70)},
		"too-large":       {Comment: randomText(5000)},
	}
}

// randomText is text of that many bytes that cannot be packed much.
func randomText(size int) string {
	var text strings.Builder
	for text.Len() < size {
		text.WriteString(rand.Text())
	}
	return text.String()[:size]
}

// SetProfile makes EST sign by a deviating profile from now on; the zero
// Profile is the standard one.
func (ca *CA) SetProfile(p Profile) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.profile = p
}

func (ca *CA) currentProfile() Profile {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return ca.profile
}
