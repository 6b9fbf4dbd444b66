//go:build cgo && linux

package piv_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// oddObject is a card that answers for one data object what no card should.
type oddObject struct {
	*yubikey.Card
	object []byte // its tag
	answer []byte // with the status word
}

func (c *oddObject) Transmit(command []byte) []byte {
	if len(command) > 5 && command[1] == 0xCB && bytes.HasSuffix(bytes.TrimRight(command, "\x00"), c.object) {
		return c.answer
	}
	return c.Card.Transmit(command)
}

// TestOneBrokenObject has a certificate object with a wrong length around it: the
// slot says so, and the rest of the card is read as ever.
func TestOneBrokenObject(t *testing.T) {
	for name, answer := range map[string][]byte{
		"longer than it is":  {0x53, 0x82, 0x01, 0x00, 0x70, 0x01, 0x42, 0x90, 0x00},
		"shorter than it is": {0x53, 0x02, 0x70, 0x81, 0x05, 0x42, 0x90, 0x00},
		"no object":          {0x99, 0x01, 0x42, 0x90, 0x00},
		"half a length":      {0x53, 0x82, 0x01, 0x90, 0x00},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 1)
			virtual := newCard(t, serial, "5.7.4")
			d.insert(0, &oddObject{virtual, []byte{0x5C, 0x03, 0x5F, 0xC1, 0x0A}, answer})
			card := open(t, serial, quick())
			generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
			status, err := card.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(status.Slots) != 2 {
				t.Fatalf("%d slots hold something, want 9c and 9d", len(status.Slots))
			}
			for _, slot := range status.Slots {
				broken := slot.Slot == piv.SlotSignature
				if (slot.CertificateErr != nil) != broken {
					t.Errorf("slot %s: %v", slot.Slot, slot.CertificateErr)
				}
				if broken && !strings.HasPrefix(slot.CertificateErr.Error(), "not a readable certificate: ") {
					t.Errorf("it says %v", slot.CertificateErr)
				}
				if broken && slot.Empty() {
					t.Error("a slot with a broken object counts as empty")
				}
			}
		})
	}
}
