package piv

import "fmt"

// FIPS reports whether the card is of a FIPS series: its form factor says so, or its firmware, 4.4.
func (i Identity) FIPS() bool {
	return i.FormFactor&formFactorFIPS != 0 || i.Firmware.Major == 4 && i.Firmware.Minor == 4
}

// Bio reports whether the card is a YubiKey Bio, whose PIN a fingerprint can stand for.
func (i Identity) Bio() bool {
	shape := i.FormFactor & formFactorMask
	return shape == 6 || shape == 7
}

// PolicyError is returned for a PIN policy that the card's model does not allow. Nothing was changed.
type PolicyError struct {
	Model  string
	Slot   Slot
	Policy PINPolicy
}

// Error says which model refuses it.
func (e *PolicyError) Error() string {
	return fmt.Sprintf("a %s takes no key with the PIN policy %s in slot %s", e.Model, e.Policy, e.Slot)
}

// CheckPolicy returns a *PolicyError for a key that the card would refuse: one of the FIPS series
// takes none that asks for no PIN, but in slot 9e (Yubico PIV extensions, GENERATE).
func (i Identity) CheckPolicy(slot Slot, policy PINPolicy) error {
	if policy = policy.In(slot); policy == PINNever && i.FIPS() && slot != SlotCardAuthentication {
		return &PolicyError{Model: i.Model, Slot: slot, Policy: policy}
	}
	return nil
}
