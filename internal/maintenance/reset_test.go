package maintenance_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// reset resets the desk's card.
func (d *desk) reset() error {
	return d.try(func(card *piv.Card) error {
		return maintenance.Reset{Card: card, Escrow: d.folder}.Run(d.t.Context())
	})
}

// fill puts a key into two slots of the card.
func (d *desk) fill() {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	d.use(func(card *piv.Card) error {
		if err := card.ImportKey(d.t.Context(), piv.FactoryManagementKey(), 0x82, key, piv.ImportOptions{}); err != nil {
			return err
		}
		_, err := card.Generate(d.t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, piv.GenerateOptions{Algorithm: piv.ECCP256})
		return err
	})
}

// checkFactory: the card is as it left the factory, with its attestation key, and no record is in
// force.
func (d *desk) checkFactory(attestation []byte) {
	d.t.Helper()
	s := d.card.Snapshot()
	if !s.PIN.Default || !s.PUK.Default || !s.ManagementKey.Default || s.PIN.Tries != 3 || s.PUK.Tries != 3 {
		d.t.Errorf("PIN %+v, PUK %+v, management key the factory one: %v", s.PIN, s.PUK, s.ManagementKey.Default)
	}
	for slot := range s.Slots {
		if slot != 0xF9 {
			d.t.Errorf("slot %x still holds a key", slot)
		}
	}
	if string(s.Objects[0x5FFF01]) != string(attestation) {
		d.t.Error("the attestation certificate is another one")
	}
	records, err := escrow.List(d.t.Context(), d.folder, serial)
	if err != nil || len(records) != 1 || records[0].State != escrow.StateReplaced {
		d.t.Errorf("records %+v, %v", records, err)
	}
}

// TestResetAtEveryCommand pulls the card before and after every command of a reset that changes
// something, and those around them, and resets it again: each time it ends as it left the factory.
func TestResetAtEveryCommand(t *testing.T) {
	const changing, around = 8, 3 // commands: three tries each, the reset, and one more
	for _, firmware := range []string{"5.1.2", "5.7.4"} {
		looking := 0
		for _, fault := range []string{"", "card:pull@%d", "card:pull-after@%d"} {
			for n := max(1, looking-around); n <= looking+changing+around; n++ {
				t.Run(fmt.Sprintf("%s/%s %d", firmware, fault, n), func(t *testing.T) {
					d := newDesk(t, firmware)
					d.fill()
					attestation := d.card.Snapshot().Objects[0x5FFF01]
					d.fault("off")
					if fault != "" {
						d.fault("off", fmt.Sprintf(fault, n))
					}
					err := d.reset()
					if fault != "" && !errors.Is(err, piv.ErrRemoved) && !errors.Is(err, piv.ErrReset) && !errors.Is(err, piv.ErrNoCard) && !errors.Is(err, piv.ErrNoReader) {
						t.Fatal(err)
					}
					d.fault("off")
					d.insert()
					if err := d.reset(); err != nil {
						t.Fatal(err)
					}
					d.checkFactory(attestation)
				})
				if fault == "" {
					break
				}
			}
			if fault == "" {
				looking = commandsOfLooking(t, firmware)
			}
		}
	}
}

// commandsOfLooking counts what a reset sends before it changes something.
func commandsOfLooking(t *testing.T, firmware string) (commands int) {
	d := newDesk(t, firmware)
	d.fill()
	before := practice.Stats().APDUs
	d.use(func(card *piv.Card) error {
		_, err := maintenance.Reset{Card: card, Escrow: d.folder}.Losses(t.Context())
		return err
	})
	return int(practice.Stats().APDUs - before)
}

// TestLossesOfAReset are named before it, and there are none afterwards.
func TestLossesOfAReset(t *testing.T) {
	d := newDesk(t, "5.7.4")
	d.fill()
	d.use(func(card *piv.Card) error {
		reset := maintenance.Reset{Card: card, Escrow: d.folder}
		losses, err := reset.Losses(t.Context())
		if err != nil || losses.Serial != serial || losses.Nothing || len(losses.Slots) != 2 || len(losses.Records) != 1 {
			t.Errorf("%+v, %v", losses, err)
		}
		if err := reset.Run(t.Context()); err != nil {
			return err
		}
		losses, err = reset.Losses(t.Context())
		if err != nil || !losses.Nothing || len(losses.Slots) != 0 || len(losses.Records) != 0 {
			t.Errorf("afterwards %+v, %v", losses, err)
		}
		return nil
	})
}

// TestResetOfABio is refused before its PIN and PUK are blocked.
func TestResetOfABio(t *testing.T) {
	d := newDesk(t, "5.7.4")
	d.fault("off")
	var err error
	if d.card, err = practice.NewCard(lab.CardSpec{Serial: serial, Firmware: "5.7.4", FormFactor: 0x07}); err != nil {
		t.Fatal(err)
	}
	d.insert()
	if err := d.reset(); !errors.Is(err, maintenance.ErrBio) {
		t.Errorf("error %v", err)
	}
	if s := d.card.Snapshot(); s.PIN.Tries != 3 || s.PUK.Tries != 3 {
		t.Errorf("PIN %+v, PUK %+v", s.PIN, s.PUK)
	}
}

// TestOtherCardPutBack: where another card is put in after the first was pulled, that one is left as
// it is.
func TestOtherCardPutBack(t *testing.T) {
	d := newDesk(t, "5.7.4")
	d.fill()
	d.fault("off", "card:pull-after@40")
	if err := d.reset(); err == nil {
		t.Fatal("the card was not pulled")
	}
	d.fault("off")
	other, err := practice.NewCard(lab.CardSpec{Serial: serial + 1, Firmware: "5.7.4"})
	if err != nil {
		t.Fatal(err)
	}
	before := other.Snapshot()
	_ = practice.Pull(0)
	if err := practice.Insert(0, other); err != nil {
		t.Fatal(err)
	}
	var wrong *piv.WrongCardError
	if err := d.reset(); !errors.As(err, &wrong) || wrong.Want != serial {
		t.Errorf("reset: %v", err)
	}
	if _, err := d.importInto(oldEC(t, elliptic.P256()), false); !errors.As(err, &wrong) {
		t.Errorf("import: %v", err)
	}
	if after := other.Snapshot(); after.PIN != before.PIN || after.PUK != before.PUK || len(after.Slots) != len(before.Slots) {
		t.Error("the other card was changed")
	}
}
