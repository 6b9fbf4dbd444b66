package setting

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// ContradictionError is returned for a profile of which two keys cannot both be so.
type ContradictionError struct {
	Profile, Why string
	Keys         [2]string     // as the file has them, with their values
	Other        config.Origin // of the second
}

// Error names both keys.
func (e *ContradictionError) Error() string {
	return "the enrollment profile " + e.Profile + " contradicts itself: " + e.Keys[0] + ", and " + e.Keys[1] + " (" + e.Other.String() + "): " + e.Why
}

// contradiction returns the error about two keys of the profile.
func (p *EnrollmentProfile) contradiction(one, other, why string) error {
	first, second := p.table.Values[one], p.table.Values[other]
	return first.Origin.Errorf("%w", &ContradictionError{Profile: p.Name, Why: why, Other: second.Origin,
		Keys: [2]string{one + " = " + shown(first), other + " = " + shown(second)}})
}

// checkSlots refuses a slot that is not the layout's.
func (p *EnrollmentProfile) checkSlots() error {
	slot, hasSlot := p.table.Values["slot"]
	layout := p.table.Values["layout"].Any
	slots, isList := slot.Any.([]any)
	switch {
	case isList && len(slots) > 1 && layout == string(enroll.LayoutSingle):
		return p.contradiction("layout", "slot", "a single key is in one slot")
	case hasSlot && layout == string(enroll.LayoutSplit):
		return p.contradiction("layout", "slot", "a split layout signs with 9c and decrypts with 9d")
	}
	return nil
}

// checkContradictions refuses a profile of which two keys cannot both be so.
func (p *EnrollmentProfile) checkContradictions() error {
	says := func(key string) bool {
		_, says := p.table.Values[key]
		return says
	}
	asksForPIN := p.PINPolicy
	if p.Slot != 0 {
		asksForPIN = p.PINPolicy.In(p.Slot)
	}
	switch {
	case p.PIN && p.PINPolicy == piv.PINNever:
		return p.contradiction("pin-policy", keyPIN, "such a key asks for no PIN")
	case p.PIN && asksForPIN == piv.PINNever:
		return p.contradiction("slot", keyPIN, "a key in that slot asks for no PIN, unless pin-policy says otherwise")
	case p.Touch && (p.TouchPolicy == piv.TouchNever || p.TouchPolicy == piv.TouchDefault):
		return p.contradiction("touch-policy", keyTouch, "such a key asks for no touch")
	case p.Touch && !says("touch-policy"):
		return p.table.Values[keyTouch].Origin.Errorf("the enrollment profile %s says %s = true, and no touch-policy: a key that is generated so asks for no touch", p.Name, keyTouch)
	case says("escrow-to") && p.table.Values["escrow-plain"].Any == true:
		return p.contradiction("escrow-to", "escrow-plain", "what is sealed is not in plain text")
	}
	if err := p.checkFirmware(); err != nil {
		return err
	}
	return p.checkIssuer()
}

// issuerKeys are the keys that are about an issuer, and of which issuers, those of URLs being EST
// servers.
func issuerKeys() map[string][]string {
	return map[string][]string{
		"issuer-dir": {"file"},
		"ca-cert":    {"local"}, "ca-key": {"local"}, "ca-key-password-file": {"local"}, "crl-url": {"local"}, "ca-url": {"local"},
		"issuer-url": {"step-ca", "step-ca-acme"}, "issuer-provisioner": {"step-ca", "step-ca-acme"}, "issuer-fingerprint": {"step-ca", "step-ca-acme"},
		"issuer-ca": {"step-ca", "step-ca-acme", "URL"}, "issuer-cert": {"step-ca", "step-ca-acme", "URL"}, "issuer-key": {"step-ca", "step-ca-acme", "URL"},
		"issuer-user": {"URL"}, "issuer-password-file": {"step-ca", "URL"},
	}
}

// checkIssuer refuses keys that are about another issuer than the profile's.
func (p *EnrollmentProfile) checkIssuer() error {
	value, says := p.table.Values["issuer"]
	if !says {
		return nil
	}
	name := fmt.Sprint(value.Any)
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		name = "URL"
	}
	if !slices.Contains([]string{"file", "local", "step-ca", "step-ca-acme", "URL"}, name) {
		return value.Origin.Errorf("issuer: %q is neither file nor local nor step-ca nor step-ca-acme nor a URL", name)
	}
	of := issuerKeys()
	for _, key := range p.table.Keys() {
		if issuers := of[key]; issuers != nil && !slices.Contains(issuers, name) {
			return p.contradiction("issuer", key, key+" is for issuer "+strings.Join(issuers, ", "))
		}
	}
	return nil
}

// checkFirmware refuses what a card with the oldest firmware that is taken does not have.
func (p *EnrollmentProfile) checkFirmware() error {
	if p.Firmware == (piv.Version{}) {
		return nil
	}
	unsupported := new(piv.UnsupportedError)
	if p.Algorithm != "" && errors.As(piv.Supports(p.Firmware, p.Algorithm), &unsupported) {
		return p.contradiction("algorithm", keyFirmware, unsupported.Reason)
	}
	for _, of := range []struct {
		key  string
		asks bool
	}{{keyPIN, p.PIN}, {keyTouch, p.Touch}, {keyFIPS, p.FIPS}} {
		if of.asks && !p.Firmware.Attests() {
			return p.contradiction(of.key, keyFirmware, "a card with that firmware attests nothing")
		}
	}
	return nil
}

// checkNeeds refuses flags, which have what the profile says, where one lacks what goes along.
func (p *EnrollmentProfile) checkNeeds(flags *pflag.FlagSet) error {
	needs := map[string][]string{"issuer-cert": {"issuer-key"}, "issuer-key": {"issuer-cert"}}
	switch p.table.Values["issuer"].Any {
	case "local":
		needs["issuer"] = []string{"ca-cert", "ca-key"}
	case "step-ca", "step-ca-acme":
		needs["issuer"] = []string{"issuer-url", "issuer-provisioner"}
	}
	for _, key := range p.table.Keys() {
		for _, need := range needs[key] {
			if flag := flags.Lookup(need); flag != nil && flag.Value.String() == "" {
				value := p.table.Values[key]
				return value.Origin.Errorf("the enrollment profile %s says %s = %s, which needs %s, and nothing says that", p.Name, key, shown(value), need)
			}
		}
	}
	return nil
}
