//go:build cgo && linux

package piv_test

import (
	"bytes"
	"crypto/ecdsa"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

func TestStatusShowsWhatTheSlotsHold(t *testing.T) {
	for _, firmware := range append(profiles(), "4.3.7") {
		t.Run(firmware, func(t *testing.T) {
			_, _, card := single(t, firmware)
			public := generate(t, card, piv.SlotSignature, piv.ECCP256)
			if err := card.PutCertificate(t.Context(), piv.FactoryManagementKey(), 0x8A, selfSigned(t, 0)); err != nil {
				t.Fatal(err)
			}
			status, err := card.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			old := firmware == "4.3.7"
			var told []piv.SlotContents
			for _, contents := range status.Slots {
				if !contents.KeyUnknown {
					told = append(told, contents)
				}
			}
			if unknown := len(status.Slots) - len(told); len(told) != 2 || old != (unknown == len(piv.Slots())-2) || !old && unknown != 0 {
				t.Fatalf("%d slots, %d of them unknown", len(status.Slots), unknown)
			}
			first, second := told[0], told[1]
			if first.Slot != piv.SlotSignature || first.Key == nil || first.Key.Origin != piv.Generated || first.Key.PINPolicy != piv.PINAlways ||
				!public.(*ecdsa.PublicKey).Equal(first.Key.PublicKey) || first.Certificate != nil {
				t.Errorf("9c: %+v %+v", first, first.Key)
			}
			if second.Slot != 0x8A || second.Certificate == nil {
				t.Errorf("8a: %+v", second)
			}
			if old != (second.Key != nil && second.Key.Origin == piv.OriginUnknown) {
				t.Errorf("8a holds the key %+v", second.Key)
			}
		})
	}
}

// Firmware before 5.3 answers for an imported key without a certificate as it
// does for an empty slot.
func TestAKeyThatCannotBeSeenIsNotTakenForAnEmptySlot(t *testing.T) {
	for _, firmware := range []string{"4.3.7", "5.0.2", "5.2.7"} {
		d := newDesk(t, 1)
		virtual := newCard(t, serial, firmware)
		importKey(t, virtual, piv.SlotKeyManagement)
		d.insert(0, virtual)
		card := open(t, serial, quick())
		for _, slot := range []piv.Slot{piv.SlotKeyManagement, piv.SlotSignature} {
			contents, err := card.Slot(t.Context(), slot)
			if err != nil || contents.Empty() || !contents.KeyUnknown || contents.Key != nil {
				t.Errorf("%s, slot %s: %+v, %v", firmware, slot, contents, err)
			}
		}
		d.Close()
	}
}

// importKey puts a P-256 key that was made elsewhere into the slot of a new
// card (Yubico PIV extensions, IMPORT ASYMMETRIC KEY).
func importKey(t *testing.T, virtual *yubikey.Card, slot piv.Slot) {
	t.Helper()
	applet := pcsc.Applet{Card: direct{virtual}}
	if _, err := applet.Select(pcsc.PIV); err != nil {
		t.Fatal(err)
	}
	factory := piv.FactoryManagementKey()
	if err := applet.Authenticate(pcsc.TripleDES, factory.Reveal()); err != nil {
		t.Fatal(err)
	}
	scalar := bytes.Repeat([]byte{1}, 32)
	command := pcsc.Command{Instruction: 0xFE, P1: pcsc.AlgorithmECCP256, P2: byte(slot), Data: append([]byte{0x06, 32}, scalar...)}
	if _, err := applet.Exchange(command); err != nil {
		t.Fatal(err)
	}
	virtual.Reset()
}

// direct gives commands to a virtual card without a reader.
type direct struct{ card *yubikey.Card }

func (d direct) Transmit(command []byte) ([]byte, error) { return d.card.Transmit(command), nil }
