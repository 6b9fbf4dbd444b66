//go:build cgo && linux

package piv_test

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// TestClearSlot: the certificate goes, the key where the firmware can delete it, and nothing else; the
// same again finds nothing to do, and a wrong management key clears nothing.
func TestClearSlot(t *testing.T) {
	for firmware, keeps := range map[string]bool{"5.4.3": true, "5.7.4": false} {
		t.Run(firmware, func(t *testing.T) {
			_, virtual, card := single(t, firmware)
			management := piv.FactoryManagementKey()
			for _, slot := range []piv.Slot{piv.SlotKeyManagement, piv.SlotSignature} {
				generate(t, card, slot, piv.ECCP256)
				if err := card.PutCertificate(t.Context(), management, slot, selfSigned(t, 10)); err != nil {
					t.Fatal(err)
				}
			}
			if err := card.ClearSlot(t.Context(), secret.New(make([]byte, 24)), piv.SlotKeyManagement); !errors.Is(err, piv.ErrManagementKey) {
				t.Errorf("with a wrong management key: %v", err)
			}
			if contents, err := card.Slot(t.Context(), piv.SlotKeyManagement); err != nil || contents.Key == nil || contents.Certificate == nil {
				t.Errorf("%+v %v", contents, err)
			}
			for range 2 {
				if err := card.ClearSlot(t.Context(), management, piv.SlotKeyManagement); err != nil {
					t.Fatal(err)
				}
				contents, err := card.Slot(t.Context(), piv.SlotKeyManagement)
				if err != nil || contents.Certificate != nil || (contents.Key != nil) != keeps {
					t.Errorf("%+v %v", contents, err)
				}
			}
			now := virtual.Snapshot()
			if _, there := now.Slots[byte(piv.SlotSignature)]; !there || len(now.Objects[0x5FC10A]) == 0 {
				t.Error("slot 9c was cleared as well")
			}
		})
	}
}
