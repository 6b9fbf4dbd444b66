package attestation

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Facts is what a verified attestation proves. The JSON names are a contract.
type Facts struct {
	Serial      uint32     `json:"serial"`                // 0 where the firmware does not tell, before 5.0
	Firmware    string     `json:"firmware"`              // "5.7.4"
	FormFactor  string     `json:"form_factor,omitempty"` // "USB-C keychain"; empty where the firmware does not tell
	FIPS        bool       `json:"fips"`
	CSPN        bool       `json:"cspn"`
	Slot        string     `json:"slot"`         // lower-case hexadecimal, "9d"
	Algorithm   string     `json:"algorithm"`    // "rsa2048", "eccp256", "x25519" …
	PINPolicy   string     `json:"pin_policy"`   // never, once, always, match-once, match-always
	TouchPolicy string     `json:"touch_policy"` // never, always, cached
	Root        string     `json:"root"`         // the trusted root's subject
	Yubico      bool       `json:"yubico"`       // the root is one of Yubico's that come with this program
	Path        []Step     `json:"chain"`        // slot certificate first, root last
	Advisories  []Advisory `json:"advisories,omitempty"`

	// Chain holds the certificates of Path.
	Chain []*x509.Certificate `json:"-"`
}

// Step is one certificate on the way from the slot to the root.
type Step struct {
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	SHA256   string    `json:"sha256"` // lower-case hexadecimal, of the DER encoding
	NotAfter time.Time `json:"not_after"`
}

func stepsOf(chain []*x509.Certificate) []Step {
	steps := make([]Step, 0, len(chain))
	for _, cert := range chain {
		steps = append(steps, Step{
			Subject:  safetext.Clean(cert.Subject.String()),
			Issuer:   safetext.Clean(cert.Issuer.String()),
			SHA256:   certificate.Fingerprint(cert),
			NotAfter: cert.NotAfter.UTC(),
		})
	}
	return steps
}

// Evidence returns the certificates that prove the facts to someone who has the
// root: slot, device and intermediates in order, the root left out.
func (f *Facts) Evidence() Chain {
	if len(f.Chain) < 2 {
		return Chain{}
	}
	return Chain{Slot: f.Chain[0], Device: f.Chain[1], Intermediates: f.Chain[2 : len(f.Chain)-1]}
}

// Text renders the facts for people, a line each, without a trailing newline.
func (f *Facts) Text() string {
	var b strings.Builder
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-14s %s\n", label+":", value)
		}
	}
	serial := fmt.Sprintf("serial %d", f.Serial)
	if f.Serial == 0 {
		serial = "serial not attested"
	}
	line("YubiKey", serial+", firmware "+f.Firmware)
	line("form factor", f.FormFactor)
	switch {
	case f.FIPS && f.CSPN:
		line("certified", "FIPS, CSPN")
	case f.FIPS:
		line("certified", "FIPS")
	case f.CSPN:
		line("certified", "CSPN")
	}
	line("key", fmt.Sprintf("%s in slot %s, generated on the card", f.Algorithm, f.Slot))
	line("PIN policy", f.PINPolicy)
	line("touch policy", f.TouchPolicy)
	root := f.Root
	if !f.Yubico {
		root += " (not a Yubico root)"
	}
	line("root", root)
	for _, a := range f.Advisories {
		line("advisory", a.ID+": "+a.Message)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
