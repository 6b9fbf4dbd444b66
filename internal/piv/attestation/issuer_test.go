package attestation_test

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// A YubiKey's other applets have attestation authorities under the same root.
func TestVerifyRefusesAuthoritiesOfOtherApplets(t *testing.T) {
	for _, name := range []string{"Yubico FIDO Attestation A 1", "Yubico OPGP Attestation B 1", "Yubico SD Attestation A 1", "Yubico U2F Root"} {
		a := newAuthority(t)
		a.intermediate = issue(t, ca(name, 1), p256(t), a.root)
		a.device = issue(t, deviceTemplate(), p256(t), a.intermediate)
		key := p256(t)
		chain := attestation.Chain{Slot: attest(t, a.device, key.Public(), nil), Device: a.device.cert}
		_, err := attestation.Verify(chain, a.trust(), attestation.Expect{Slot: "9d", Serial: slotSerial})
		if !errors.Is(err, attestation.ErrDeviceIssuer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
