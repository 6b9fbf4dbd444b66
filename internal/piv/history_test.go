//go:build cgo && linux

package piv_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func historyOf(t *testing.T, card *piv.Card) piv.History {
	t.Helper()
	history, err := card.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return history
}

// TestMovedKeyIsTheSame moves a key to a retired slot, with its certificate, and uses it
// there.
func TestMovedKeyIsTheSame(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	management := piv.FactoryManagementKey()
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	leaf := selfSigned(t, 10)
	if history := historyOf(t, card); len(history.Slots) != 20 || len(history.Free()) != 20 || history.Problem() != nil {
		t.Fatalf("a new card: %+v", history)
	}
	if err := card.PutCertificate(t.Context(), management, piv.SlotRetiredFirst, leaf); err != nil {
		t.Fatal(err)
	}
	if err := card.MoveKey(t.Context(), management, piv.SlotKeyManagement, piv.SlotRetiredFirst); err != nil {
		t.Fatal(err)
	}
	if err := card.WriteKeyHistory(t.Context(), management); err != nil {
		t.Fatal(err)
	}
	history := historyOf(t, card)
	moved := history.Slots[0]
	if moved.Key == nil || moved.Key.Origin != piv.Generated || moved.Key.PINPolicy != piv.PINOnce || !moved.Certificate.Equal(leaf) {
		t.Errorf("slot 82 holds %+v", moved)
	}
	if said := history.Said; said == nil || *said != (piv.KeyHistory{OnCard: 1}) || history.Problem() != nil {
		t.Errorf("the card says %+v, %v", said, history.Problem())
	}
	if free := history.Free(); len(free) != 19 || free[0] != 0x83 {
		t.Errorf("free are %v", free)
	}
	if err := card.CheckManagementKey(t.Context(), management); err != nil {
		t.Fatal(err)
	}
	signer := card.Signer(t.Context(), piv.SlotRetiredFirst, public, piv.FactoryPIN())
	if _, err := signer.Sign(nil, make([]byte, 32), sha256Options); err != nil {
		t.Errorf("the moved key: %v", err)
	}
	if _, there := virtual.Snapshot().Slots[byte(piv.SlotKeyManagement)]; there {
		t.Error("slot 9d still holds the key")
	}
}

func TestMoveRefusals(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	management := piv.FactoryManagementKey()
	move := func(from, to piv.Slot) error { return card.MoveKey(t.Context(), management, from, to) }
	if err := move(piv.SlotKeyManagement, 0x82); !errors.Is(err, piv.ErrEmptySlot) {
		t.Errorf("from an empty slot: %v", err)
	}
	generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	generate(t, card, 0x82, piv.ECCP256)
	before := virtual.Snapshot().Slots
	if err := move(piv.SlotKeyManagement, 0x82); !errors.Is(err, piv.ErrSlotOccupied) {
		t.Errorf("to a slot with a key: %v", err)
	}
	if err := move(piv.SlotKeyManagement, piv.SlotKeyManagement); err == nil {
		t.Error("to itself")
	}
	if err := move(piv.SlotKeyManagement, 0xFF); err == nil {
		t.Error("to ff, which deletes")
	}
	wrong := secret.New(make([]byte, 24))
	if err := card.MoveKey(t.Context(), wrong, piv.SlotKeyManagement, 0x83); !errors.Is(err, piv.ErrManagementKey) {
		t.Errorf("with a wrong management key: %v", err)
	}
	for slot, key := range before {
		if now := virtual.Snapshot().Slots[slot]; now.PublicKey == nil || now.Algorithm != key.Algorithm {
			t.Errorf("slot %x changed", slot)
		}
	}
}

func TestOldFirmwareCannotMove(t *testing.T) {
	_, _, card := single(t, "5.4.3")
	generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	if err := card.MoveKey(t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, 0x82); !errors.Is(err, piv.ErrCannotMove) {
		t.Errorf("got %v", err)
	}
}

// TestLyingKeyHistory has a Key History object that is wrong, missing or no such object:
// it is seen, and put right from what is in the slots.
func TestLyingKeyHistory(t *testing.T) {
	for name, object := range map[string][]byte{
		"missing":       nil,
		"too many":      {0xC1, 1, 7, 0xC2, 1, 0, 0xFE, 0},
		"too few":       {0xC1, 1, 0, 0xC2, 1, 0, 0xFE, 0},
		"off the card":  {0xC1, 1, 0, 0xC2, 1, 2, 0xF3, 0, 0xFE, 0},
		"no such thing": {0x70, 3, 1, 2, 3},
		"more than 20":  {0xC1, 1, 200, 0xC2, 1, 200, 0xFE, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, card := single(t, "5.7.4", func(c *yubikey.Config) {
				if object != nil {
					c.Contents = contentsWith(object)
				}
			})
			management := piv.FactoryManagementKey()
			for _, slot := range []piv.Slot{0x82, 0x84} {
				generate(t, card, slot, piv.ECCP256)
				if err := card.PutCertificate(t.Context(), management, slot, selfSigned(t, 10)); err != nil {
					t.Fatal(err)
				}
			}
			generate(t, card, 0x95, piv.ECCP256)
			var wrong *piv.HistoryError
			if err := historyOf(t, card).Problem(); !errors.As(err, &wrong) || wrong.Real != (piv.KeyHistory{OnCard: 2, OffCard: 1}) {
				t.Fatalf("seen is %v", err)
			}
			for range 2 {
				if err := card.WriteKeyHistory(t.Context(), management); err != nil {
					t.Fatal(err)
				}
			}
			history := historyOf(t, card)
			if history.Problem() != nil || *history.Said != (piv.KeyHistory{OnCard: 2, OffCard: 1}) {
				t.Errorf("it says %+v, %v", history.Said, history.Problem())
			}
			if slices.Contains(history.Free(), 0x82) || !slices.Contains(history.Free(), 0x83) {
				t.Errorf("free are %v", history.Free())
			}
		})
	}
}

// TestOldFirmwareKeepsWhatTheCardSaysOfKeys: a card that cannot tell which keys it has
// is believed about those without a certificate.
func TestOldFirmwareKeepsWhatTheCardSaysOfKeys(t *testing.T) {
	_, _, card := single(t, "5.2.7", func(c *yubikey.Config) {
		c.Contents = contentsWith([]byte{0xC1, 1, 0, 0xC2, 1, 3, 0xF3, 8, 'h', 't', 't', 'p', ':', '/', '/', 'x', 0xFE, 0})
	})
	if err := card.PutCertificate(t.Context(), piv.FactoryManagementKey(), 0x82, selfSigned(t, 10)); err != nil {
		t.Fatal(err)
	}
	if err := card.WriteKeyHistory(t.Context(), piv.FactoryManagementKey()); err != nil {
		t.Fatal(err)
	}
	if said := historyOf(t, card).Said; *said != (piv.KeyHistory{OnCard: 1, OffCard: 3, URL: "http://x"}) {
		t.Errorf("it says %+v", said)
	}
}

// contentsWith is what a card from the factory has, and a Key History object.
func contentsWith(keyHistory []byte) *yubikey.Contents {
	return &yubikey.Contents{
		PIN: "123456", PUK: "12345678", ManagementKey: piv.FactoryManagementKey().Reveal(),
		Objects: map[uint32][]byte{0x5FC10C: keyHistory},
	}
}
