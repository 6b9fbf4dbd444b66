package describe

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Card names a card: its model, serial number and firmware.
func Card(id piv.Identity) string {
	return fmt.Sprintf("%s, serial %d, firmware %s", id.Model, id.Serial, id.Firmware)
}

// Protection says how PIN, PUK and management key stand.
func Protection(status piv.Status) []Value {
	key := status.ManagementKey
	text := factory(key.Factory)
	if key.Algorithm != "" {
		text = strings.ToUpper(key.Algorithm) + ", " + text
	}
	return []Value{counter("PIN", status.PIN), counter("PUK", status.PUK), {Label: "management key", Text: text}}
}

func counter(label string, counter piv.Counter) Value {
	value := Value{Label: label, Text: piv.TriesLeft(counter.Tries) + ", " + factory(counter.Factory)}
	switch counter.Tries {
	case piv.UnknownTries:
		value.Text = "tries not known, " + factory(counter.Factory)
	case 0:
		value.Text, value.Tone = "blocked", Bad
	case 1:
		value.Tone = Warning
	}
	return value
}

func factory(factory piv.Tri) string {
	switch factory {
	case piv.Yes:
		return "still the factory one"
	case piv.No:
		return "not the factory one"
	}
	return "not known whether it is the factory one"
}

// Tries says how many tries of a PIN are left to somebody who is about to use one.
func Tries(left int) Value {
	if left == 1 {
		return Value{Text: piv.TriesLeft(left) + ": a wrong one blocks it", Tone: Bad}
	}
	return Value{Text: piv.TriesLeft(left)}
}

// SlotName names a slot as people know it, such as "9D key management" and "82
// retired key 1".
func SlotName(slot piv.Slot) string {
	return strings.ToUpper(slot.String()) + " " + strings.Replace(slot.Name(), "retired key management", "retired key", 1)
}

// Slots says what is in the four main slots and in those of 82 to 95 that are not
// empty, and counts the others.
func Slots(status piv.Status) (values []Value) {
	bySlot := map[piv.Slot]piv.SlotContents{}
	for _, contents := range status.Slots {
		bySlot[contents.Slot] = contents
	}
	empty, unknown := 0, 0
	for _, slot := range piv.Slots() {
		contents := bySlot[slot]
		switch {
		case slot.Retired() && contents.Empty():
			empty++
		case slot.Retired() && contents.Unknown():
			unknown++
		case contents.Empty():
			values = append(values, Value{Label: SlotName(slot), Text: "empty", Tone: Faint})
		default:
			values = append(values, Value{Label: SlotName(slot), Text: Key(contents) + "; " + slotCertificate(contents)})
		}
	}
	if unknown > 0 {
		values = append(values, UnknownSlots(unknown))
	}
	if unknown > 0 && empty == 0 {
		return values
	}
	return append(values, Value{Label: "82 to 95", Text: fmt.Sprintf("%d of 20 slots are empty", empty), Tone: Faint})
}

// UnknownSlots says of so many slots from 82 to 95 that nothing is known of them.
func UnknownSlots(n int) Value {
	return Value{Label: "82 to 95", Text: fmt.Sprintf("not known of %d of 20 slots whether they hold a key", n), Tone: Faint}
}

// Key says what key a slot holds.
func Key(contents piv.SlotContents) string {
	switch key := contents.Key; {
	case key != nil:
		return fmt.Sprintf("%s, %s, PIN %s, touch %s", key.Algorithm, key.Origin, key.PINPolicy, key.TouchPolicy)
	case contents.KeyUnknown:
		return "cannot tell whether there is a key: firmware before 5.3 does not show imported ones"
	}
	return "no key"
}

func slotCertificate(contents piv.SlotContents) string {
	if err := contents.CertificateProblem(); err != nil {
		return "certificate: " + err.Error()
	}
	if contents.Certificate == nil {
		return "no certificate"
	}
	return "certificate of " + Owner(contents.Certificate) + ", valid until " + format.Day(contents.Certificate.NotAfter)
}

// Owner names whom a certificate is for: its mail addresses, else its subject.
func Owner(certificate *x509.Certificate) string {
	if addresses := smime.EmailAddresses(certificate); len(addresses) > 0 {
		return strings.Join(addresses, " ")
	}
	if subject := certificate.Subject.String(); subject != "" {
		return subject
	}
	return "nobody that it names"
}
