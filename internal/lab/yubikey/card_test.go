package yubikey

import (
	"encoding/hex"
	"testing"
)

func TestATR(t *testing.T) {
	h := newHost(t, v574)
	if got, want := hex.EncodeToString(h.ATR()), "3bfd1300008131fe158073c021c057597562694b657940"; got != want {
		t.Errorf("ATR is %s, want %s", got, want)
	}
}

func TestWholeEnrollment(t *testing.T) {
	for _, v := range []Version{v431, v543, v574} {
		h := newHost(t, v)
		for _, a := range []algorithm{rsa2048, eccP256, eccP384} {
			h.generateIn(slotKeyManagement, a, 0, 0)
			slot := h.attestation(slotKeyManagement)
			if slot.Subject.CommonName != "YubiKey PIV Attestation 9d" {
				t.Errorf("%v: subject is %v", v, slot.Subject)
			}
		}
	}
}
