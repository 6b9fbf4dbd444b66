package enroll

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// Profile is an enrollment profile: what a card and its keys have to be like, whoever enrolls
// them. Zero values ask for nothing.
type Profile struct {
	Name        string
	SHA256      string // of what it says, lower-case hexadecimal
	Layout      Layout
	Slot        piv.Slot // of a single key
	Algorithm   piv.Algorithm
	PINPolicy   piv.PINPolicy
	TouchPolicy piv.TouchPolicy
	PINTries    int
	PUKTries    int
	// Firmware is the oldest one that the card may have.
	Firmware piv.Version
	// FIPS asks for a card that attests that it is certified by FIPS 140.
	FIPS bool
	// PIN and Touch ask for keys that ask for the PIN, and for a touch.
	PIN   bool
	Touch bool
}

// named is how evidence names the profile, nil for none.
func (p *Profile) named() *evidence.Profile {
	if p == nil {
		return nil
	}
	return &evidence.Profile{Name: p.Name, SHA256: p.SHA256}
}

// ProfileFinding is whether one thing is as a profile asks for it. The JSON names are a contract.
type ProfileFinding struct {
	What   string `json:"what"`   // "firmware", "slot 9d: algorithm" …
	Wanted string `json:"wanted"` // "5.7.0 or later"
	Found  string `json:"found"`
	Met    bool   `json:"met"`
}

// ProfileError is returned for a card or a key that is not as the enrollment profile asks for it.
type ProfileError struct {
	Profile string
	Unmet   []ProfileFinding
}

// Error says what is otherwise.
func (e *ProfileError) Error() string {
	var all []string
	for _, f := range e.Unmet {
		all = append(all, fmt.Sprintf("%s is %s, not %s", f.What, f.Found, f.Wanted))
	}
	return fmt.Sprintf("not as the enrollment profile %s asks for: %s", e.Profile, strings.Join(all, "; "))
}

// Fixed returns the words of the command line for what the profile leaves no choice of; "" where
// it does.
func (p *Profile) Fixed(option Option) string {
	switch {
	case p == nil:
	case option == OptionLayout:
		return string(p.Layout)
	case option == OptionSlot && p.Slot != 0:
		return p.Slot.String()
	case option == OptionAlgorithm:
		return string(p.Algorithm)
	case option == OptionPINPolicy:
		return string(p.PINPolicy)
	case option == OptionTouchPolicy:
		return string(p.TouchPolicy)
	}
	return ""
}

// findings collects what was found.
type findings []ProfileFinding

func (f *findings) add(what, wanted, found string, met bool) {
	*f = append(*f, ProfileFinding{What: what, Wanted: wanted, Found: found, Met: met})
}

// same adds what has to be the same, if it is asked for.
func (f *findings) same(what, wanted, found string) {
	if wanted != "" {
		f.add(what, wanted, found, wanted == found)
	}
}

// CheckFirmware says whether the card's firmware is as the profile asks for.
func (p *Profile) CheckFirmware(firmware piv.Version) []ProfileFinding {
	var all findings
	if oldest := p.Firmware; oldest != (piv.Version{}) {
		all.add("firmware", oldest.String()+" or later", firmware.String(), firmware.AtLeast(oldest.Major, oldest.Minor, oldest.Patch))
	}
	return all
}

// CheckSlots says whether the keys are in the slots that the profile asks for.
func (p *Profile) CheckSlots(slots []piv.Slot) []ProfileFinding {
	var all findings
	layout := LayoutSingle
	if len(slots) > 1 {
		layout = LayoutSplit
	}
	all.same("layout", string(p.Layout), string(layout))
	if p.Slot != 0 && len(slots) > 0 {
		all.same("slot", p.Slot.String(), slots[0].String())
	}
	return all
}

// Slots returns the slots of the profile's keys.
func (p *Profile) Slots() []piv.Slot {
	if p.Layout == LayoutSplit {
		return []piv.Slot{piv.SlotSignature, piv.SlotKeyManagement}
	}
	return []piv.Slot{cmp.Or(p.Slot, piv.SlotKeyManagement)}
}

// CheckKey says whether a key is as the profile asks for, by what the card attests of it.
func (p *Profile) CheckKey(slot piv.Slot, facts *attestation.Facts) []ProfileFinding {
	var all findings
	of := "slot " + slot.String() + ": "
	all.same(of+"algorithm", string(p.Algorithm), facts.Algorithm)
	if p.PINPolicy != "" {
		all.same(of+"PIN policy", string(p.PINPolicy.In(slot)), facts.PINPolicy)
	}
	if p.TouchPolicy != "" {
		all.same(of+"touch policy", string(p.TouchPolicy.Effective()), facts.TouchPolicy)
	}
	if p.PIN {
		all.add(of+"PIN policy", "one that asks for the PIN", facts.PINPolicy, facts.PINPolicy != string(piv.PINNever))
	}
	if p.Touch {
		all.add(of+"touch policy", "one that asks for a touch", facts.TouchPolicy, facts.TouchPolicy != string(piv.TouchNever))
	}
	if p.FIPS {
		found := "not attested"
		if facts.FIPS {
			found = "attested"
		}
		all.add(of+"that the card is a FIPS one", "attested", found, facts.FIPS)
	}
	return all
}

// Error returns a *ProfileError where one of the findings is otherwise.
func (p *Profile) Error(all []ProfileFinding) error {
	unmet := slices.DeleteFunc(slices.Clone(all), func(f ProfileFinding) bool { return f.Met })
	if len(unmet) == 0 {
		return nil
	}
	return &ProfileError{Profile: p.Name, Unmet: unmet}
}

// checkFirmware refuses a card that the profile does not allow; a nil one allows all.
func (p *Profile) checkFirmware(card piv.Identity) error {
	if p == nil {
		return nil
	}
	return p.Error(p.CheckFirmware(card.Firmware))
}

// checkProfile refuses keys that the request's profile does not allow, as far as that can be told
// before they are attested.
func (r Request) checkProfile() error {
	p := r.Profile
	if p == nil {
		return nil
	}
	var all findings
	var slots []piv.Slot
	for _, key := range r.Keys {
		slots = append(slots, key.Slot)
		if key.Source != SourceGenerate {
			continue // what is there is attested
		}
		all = append(all, p.CheckKey(key.Slot, &attestation.Facts{
			Algorithm: string(key.Algorithm), PINPolicy: string(key.PINPolicy.In(key.Slot)), TouchPolicy: string(key.TouchPolicy.Effective()),
			FIPS: true, // as far as is known
		})...)
	}
	return p.Error(append(all, p.CheckSlots(slots)...))
}

// attests reports whether the profile asks for something that only an attestation tells.
func (p *Profile) attests() bool { return p != nil && (p.FIPS || p.PIN || p.Touch) }
