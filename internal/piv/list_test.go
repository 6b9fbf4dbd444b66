//go:build cgo && linux

package piv_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

func TestListLooksIntoEveryReader(t *testing.T) {
	d := newDesk(t, 4)
	d.insert(0, newCard(t, 11, "5.7.4"))
	d.insert(1, newCard(t, 22, "5.4.3", func(c *yubikey.Config) { c.FormFactor = 0x81 }))
	d.insert(3, &plastic{})
	found, err := piv.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 {
		t.Fatalf("%d readers, not 4", len(found))
	}
	for i, name := range d.Names() {
		if found[i].Reader != name {
			t.Errorf("reader %d is %q, not %q", i, found[i].Reader, name)
		}
	}
	first, second := found[0].Identity, found[1].Identity
	if first.Serial != 11 || first.Firmware != (piv.Version{Major: 5, Minor: 7, Patch: 4}) || first.FormFactor != 3 || first.Reader != d.Names()[0] {
		t.Errorf("first card: %+v, %v", first, found[0].Err)
	}
	if second.Serial != 22 || second.Firmware.String() != "5.4.3" || second.FormFactor != 0x81 {
		t.Errorf("second card: %+v, %v", second, found[1].Err)
	}
	if first.Model == "" || second.Model == first.Model {
		t.Errorf("models %q and %q", first.Model, second.Model)
	}
	if !errors.Is(found[2].Err, piv.ErrNoCard) {
		t.Errorf("empty reader: %v", found[2].Err)
	}
	if !errors.Is(found[3].Err, piv.ErrNotYubiKey) {
		t.Errorf("card without PIV: %v", found[3].Err)
	}
}

// TestListTakesFewCommands counts those to each card.
func TestListTakesFewCommands(t *testing.T) {
	for firmware, most := range map[string]int{"5.7.4": 3, "5.4.3": 3, "4.3.7": 4} {
		d := newDesk(t, 2)
		d.insert(0, newCard(t, 11, firmware))
		d.insert(1, newCard(t, 22, firmware))
		d.setFault(nil)
		if found, err := piv.List(t.Context()); err != nil || found[0].Identity.Serial != 11 || found[1].Identity.Serial != 22 {
			t.Errorf("%s: %+v, %v", firmware, found, err)
		}
		if got := d.sent(); got > 2*most {
			t.Errorf("%s: %d commands to two cards, %d each would do", firmware, got, most)
		}
		d.Close()
	}
}

// TestListKeepsNobodyOut has another program share the card all the time.
func TestListKeepsNobodyOut(t *testing.T) {
	d := newDesk(t, 1)
	d.insert(0, newCard(t, serial, "5.7.4"))
	service, err := pcsc.Establish()
	if err != nil {
		t.Fatal(err)
	}
	defer service.Release()
	other, err := service.Connect(d.Names()[0], pcsc.Shared)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Disconnect(pcsc.LeaveCard)
	if found, err := piv.List(t.Context()); err != nil || found[0].Identity.Serial != serial {
		t.Errorf("%+v, %v", found, err)
	}
	if err := piv.Wait(t.Context(), serial); err != nil {
		t.Error(err)
	}
	if err := other.Check(); err != nil {
		t.Errorf("the other program's connection: %v", err)
	}
}

// TestACardWithoutASerialNumberIsRefused: 0 stands for any card in questions, and
// must not be the answer.
func TestACardWithoutASerialNumberIsRefused(t *testing.T) {
	for name, answer := range map[string][]byte{"0": {0, 0, 0, 0, 0x90, 0}, "none": {0x6D, 0x00}} {
		d := newDesk(t, 1)
		d.insert(0, newCard(t, serial, "5.7.4"))
		d.setFault(func(_ int, command []byte) verdict {
			switch command[1] {
			case 0x1D: // READ CONFIG: the version alone
				return verdict{lie: []byte{5, 0x05, 3, 5, 7, 4, 0x90, 0x00}}
			case 0xF8: // GET SERIAL
				return verdict{lie: answer}
			}
			return verdict{}
		})
		if found, err := piv.List(t.Context()); err != nil || !errors.Is(found[0].Err, piv.ErrNoSerial) {
			t.Errorf("%s: listed as %+v, %v", name, found, err)
		}
		for _, want := range []uint32{0, serial} {
			if _, err := piv.Open(t.Context(), want, quick()); !errors.Is(err, piv.ErrNoSerial) {
				t.Errorf("%s, open %d: %v", name, want, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := piv.Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: it is waited for as any card: %v", name, err)
		}
		cancel()
		d.Close()
	}
}

// TestACardWithTwoSerialNumbersIsRefusedAtOnce: the management application and PIV name
// another card each. No operation works on it, and none is tried twice.
func TestACardWithTwoSerialNumbersIsRefusedAtOnce(t *testing.T) {
	d, virtual, card := single(t, "5.7.4")
	lie, ok := yubikey.FindLie("serial")
	if !ok {
		t.Fatal("the lab has no such lie")
	}
	virtual.SetLie(lie)
	for _, op := range operations(nil)[:8] {
		d.setFault(nil)
		err := op.do(t.Context(), card)
		var mismatch *piv.SerialMismatchError
		if !errors.As(err, &mismatch) || !errors.Is(err, piv.ErrBroken) || mismatch.Management != serial || mismatch.PIV == serial {
			t.Errorf("%s: %v", op.name, err)
		}
		if sent := d.sent(); sent > 8 {
			t.Errorf("%s: %d commands were sent", op.name, sent)
		}
	}
}

func TestOldCardsTellTheirSerialThroughOTP(t *testing.T) {
	d := newDesk(t, 1)
	d.insert(0, newCard(t, 4321, "4.3.7"))
	card := open(t, 4321, quick())
	protection, err := card.Protection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if protection.PIN != (piv.Counter{Tries: 3, Max: piv.UnknownTries}) || protection.ManagementKey.Algorithm != "3des" {
		t.Errorf("protection of a 4.3.7: %+v", protection)
	}
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Error(err)
	}
}

func TestOpenChooses(t *testing.T) {
	noSerial := uint32(0)
	t.Run("no reader", func(t *testing.T) {
		newDesk(t, 0)
		if _, err := piv.Open(t.Context(), noSerial, quick()); !errors.Is(err, piv.ErrNoReader) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no card", func(t *testing.T) {
		newDesk(t, 2)
		if _, err := piv.Open(t.Context(), noSerial, quick()); !errors.Is(err, piv.ErrNoCard) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not a YubiKey", func(t *testing.T) {
		newDesk(t, 2).insert(1, &plastic{})
		if _, err := piv.Open(t.Context(), noSerial, quick()); !errors.Is(err, piv.ErrNotYubiKey) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("one", func(t *testing.T) {
		d := newDesk(t, 3)
		d.insert(0, &plastic{})
		d.insert(2, newCard(t, serial, "5.7.4"))
		if got := open(t, noSerial, quick()).Identity().Serial; got != serial {
			t.Errorf("serial %d", got)
		}
	})
	t.Run("several", func(t *testing.T) {
		d := newDesk(t, 2)
		d.insert(0, newCard(t, 11, "5.7.4"))
		d.insert(1, newCard(t, 22, "5.7.4"))
		var several *piv.SeveralCardsError
		if _, err := piv.Open(t.Context(), noSerial, quick()); !errors.As(err, &several) || len(several.Serials) != 2 {
			t.Errorf("got %v", err)
		}
		if got := open(t, 22, quick()).Identity(); got.Serial != 22 || got.Reader != d.Names()[1] {
			t.Errorf("got %+v", got)
		}
		var wrong *piv.WrongCardError
		_, err := piv.Open(t.Context(), 33, quick())
		if !errors.As(err, &wrong) || wrong.Want != 33 || len(wrong.Have) != 2 || !errors.Is(err, piv.ErrNoCard) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no service", func(t *testing.T) {
		newDesk(t, 1).Close()
		if _, err := piv.Open(t.Context(), noSerial, quick()); !errors.Is(err, piv.ErrNoService) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCardHeldByAnotherProgram(t *testing.T) {
	d, _, card := single(t, "5.7.4")
	release := hold(t, d.Names()[0])
	found, err := piv.List(t.Context())
	if err != nil || !errors.Is(found[0].Err, piv.ErrCardInUse) {
		t.Errorf("listed as %+v, %v", found, err)
	}
	var held *piv.InUseError
	if _, err := piv.Open(t.Context(), serial, quick()); !errors.As(err, &held) || held.Reader != d.Names()[0] {
		t.Errorf("open: %v", err)
	}
	if _, err := card.Protection(t.Context()); !errors.Is(err, piv.ErrCardInUse) {
		t.Errorf("protection: %v", err)
	}
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); !errors.Is(err, piv.ErrCardInUse) {
		t.Errorf("verify: %v", err)
	}
	if err := card.ChangePUK(t.Context(), piv.FactoryPUK(), piv.FactoryPUK()); !errors.As(err, &held) {
		t.Errorf("change: %v", err)
	}
	release()
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Errorf("after the release: %v", err)
	}
}
