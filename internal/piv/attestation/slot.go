package attestation

import (
	"crypto/x509"
	"encoding/asn1"
	"strconv"
	"strings"
)

// slotPrefix begins the common name of a slot certificate; the slot follows as
// two hexadecimal digits.
const slotPrefix = "YubiKey PIV Attestation "

// slotOf returns the slot that a slot certificate's subject names ("9d"), which
// must be nothing but that one common name.
func slotOf(cert *x509.Certificate) (string, bool) {
	names := cert.Subject.Names
	if len(names) != 1 || !names[0].Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
		return "", false
	}
	slot, found := strings.CutPrefix(cert.Subject.CommonName, slotPrefix)
	if !found || !isKeySlot(slot) {
		return "", false
	}
	return slot, true
}

// isKeySlot tells whether slot, in lower-case hexadecimal, can hold a key that
// is attested: 9a, 9c, 9d, 9e and the retired key management slots 82 to 95
// (NIST SP 800-73-4 part 1, table 4b).
func isKeySlot(slot string) bool {
	n, err := strconv.ParseUint(slot, 16, 8)
	if err != nil || slot != strconv.FormatUint(n, 16) {
		return false
	}
	switch n {
	case 0x9a, 0x9c, 0x9d, 0x9e:
		return true
	}
	return n >= 0x82 && n <= 0x95
}

// sameSlot compares a slot as people write it ("9D", "0x9d") with one from
// slotOf.
func sameSlot(written, slot string) bool {
	written = strings.ToLower(strings.TrimSpace(written))
	return strings.TrimPrefix(written, "0x") == slot
}
