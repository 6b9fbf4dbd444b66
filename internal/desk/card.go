package desk

import (
	"crypto/x509"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// CardStatus is what is on a card.
type CardStatus struct {
	Identity piv.Identity
	Status   piv.Status
	// FormFactor is the card's case, such as "USB-C keychain"; empty where the
	// card does not tell.
	FormFactor string
	// Advisories are published weaknesses of the card's firmware, a sentence each.
	Advisories []string
}

// Slots returns the four main slots and the retired ones that hold something, in
// order, and how many retired ones are empty, or hold at most a key that the card
// does not show.
func (c CardStatus) Slots() (shown []piv.SlotContents, empty, unknown int) {
	contentsOf := map[piv.Slot]piv.SlotContents{}
	for _, contents := range c.Status.Slots {
		contentsOf[contents.Slot] = contents
	}
	for _, slot := range piv.Slots() {
		contents := contentsOf[slot]
		contents.Slot = slot
		if slot.Retired() && contents.Empty() {
			empty++
			continue
		}
		if slot.Retired() && contents.KeyUnknown && contents.CertificateErr == nil {
			unknown++
			continue
		}
		shown = append(shown, contents)
	}
	return shown, empty, unknown
}

// NoKey says of a slot that shows no key that it holds none, or that the card
// cannot tell.
func NoKey(unknown bool) string {
	if unknown {
		return "cannot tell whether there is a key: firmware before 5.3 does not show imported ones"
	}
	return "no key"
}

// Owner names whom a certificate is for: its mail addresses, else its subject. It
// comes from outside.
func Owner(certificate *x509.Certificate) string {
	if addresses := smime.EmailAddresses(certificate); len(addresses) > 0 {
		return strings.Join(addresses, " ")
	}
	return certificate.Subject.String()
}
