package setting

import (
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
		return p.contradiction("escrow-to", "escrow-plain", "what is sealed is not plain")
	}
	for _, of := range []struct{ key, issuer string }{
		{"issuer-dir", "file"}, {"ca-cert", "local"}, {"ca-key", "local"}, {"issuer-url", "step-ca"}, {"issuer-provisioner", "step-ca"},
	} {
		if issuer := p.table.Values["issuer"].Any; says(of.key) && says("issuer") && issuer != of.issuer && issuer != of.issuer+"-acme" {
			return p.contradiction("issuer", of.key, of.key+" is for issuer "+of.issuer)
		}
	}
	return nil
}
