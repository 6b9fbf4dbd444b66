package enroll_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab/sweep"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// enrolled is a desk whose user is enrolled, and whose request is to renew that.
func enrolled(t *testing.T, firmware string, kind enroll.Renewal) *desk {
	t.Helper()
	d := sweptCard{firmware: firmware, algorithm: piv.ECCP256}.desk(t)
	setFaults(t, "off")
	d.mustRun()
	d.renew(kind)
	return d
}

// renew makes the desk's request one to renew what is enrolled, with nothing chosen.
func (d *desk) renew(kind enroll.Renewal) {
	d.request.Renew, d.request.Defaulted = kind, enroll.Options()
	d.request.Overwrite, d.request.Confirm, d.request.NewCard = false, "", false
	d.deps = d.newFixture()
}

// oldKeys are the keys of a card, by their public keys, with the slots that they are in.
func oldKeys(snapshot yubikey.Snapshot) map[string]byte {
	keys := map[string]byte{}
	for slot, held := range snapshot.Slots {
		if slot != 0xF9 {
			keys[publicText(held.PublicKey)] = slot
		}
	}
	return keys
}

func publicText(public crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err.Error()
	}
	return string(der)
}

// checkRenewed compares a renewed card with what it was before.
func (d *desk) checkRenewed(before yubikey.Snapshot, receipt *enroll.Receipt, pairs int) {
	d.t.Helper()
	now := d.card.Snapshot()
	if now.PIN.Tries != now.PIN.Max || now.PUK.Tries != now.PUK.Max || now.PIN.Value != before.PIN.Value || now.PUK.Value != before.PUK.Value {
		d.t.Error("PIN or PUK changed, or tries were burnt")
	}
	listed := practice.Gmail().KeyPairs(d.email)
	if len(listed) != pairs {
		d.t.Errorf("Gmail has %d key pairs, want %d", len(listed), pairs)
	}
	for _, pair := range listed {
		if !pair.Enabled {
			d.t.Errorf("key pair %s is disabled", pair.ID)
		}
	}
	identities := practice.Gmail().Identities(d.email)
	if len(identities) != 1 || receipt.Identity.PrimaryKeyPairID != identities[0].PrimaryKeyPairID {
		d.t.Errorf("identities %+v, receipt %+v", identities, receipt.Identity)
	}
	kept := oldKeys(now)
	moves := d.card.Firmware().AtLeast(5, 7, 0) && receipt.Renewal.Kind == enroll.RenewNewKey
	certificates := 0
	for slot, held := range before.Slots {
		if slot == 0xF9 {
			continue
		}
		at, there := kept[publicText(held.PublicKey)]
		retired := at >= byte(piv.SlotRetiredFirst) && at <= byte(piv.SlotRetiredLast)
		if there != (moves || receipt.Renewal.Kind == enroll.RenewSameKey) || there && moves && !retired {
			d.t.Errorf("the old key of slot %x is in slot %x: %v", slot, at, there)
		}
		if moves {
			certificates++
			if from, to := before.Objects[objectOf(slot)], now.Objects[objectOf(at)]; !bytes.Equal(from, to) {
				d.t.Errorf("the certificate of slot %x did not come along to %x", slot, at)
			}
		}
	}
	if history := now.Objects[0x5FC10C]; moves && !bytes.Equal(history, []byte{0xC1, 1, byte(certificates), 0xC2, 1, 0, 0xFE, 0}) {
		d.t.Errorf("the Key History object is % X", history)
	}
	if bytes.Equal(before.Objects[0x5FC102], now.Objects[0x5FC102]) {
		d.t.Error("the CHUID is the old one")
	}
}

// objectOf is the certificate object of a slot (SP 800-73-4 part 1, table 3).
func objectOf(slot byte) uint32 {
	switch slot {
	case 0x9A:
		return 0x5FC105
	case 0x9C:
		return 0x5FC10A
	case 0x9D:
		return 0x5FC10B
	}
	return 0x5FC10D + uint32(slot-0x82)
}

func TestRenewalKeepsTheOldKeyForReading(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	for n := range 3 {
		before := d.card.Snapshot()
		receipt := d.mustRun()
		d.checkRenewed(before, receipt, n+2)
		moved := fmt.Sprintf("%02x", 0x82+n)
		if old := receipt.Renewal.Keys; len(old) != 1 || old[0].Slot != "9d" || old[0].MovedTo != moved || old[0].LeafSHA256 == receipt.Keys[0].LeafSHA256 {
			t.Errorf("receipt %+v", old)
		}
		d.renew(enroll.RenewNewKey)
	}
	// An enrollment after it has nothing to do, and renews nothing.
	before := d.card.Snapshot()
	d.request.Renew = ""
	d.mustRun()
	if after := d.card.Snapshot(); len(practice.Gmail().KeyPairs(d.email)) != 4 || len(after.Slots) != len(before.Slots) {
		t.Error("the same enrollment again did something")
	}
}

func TestRenewalOfTwoKeysKeepsBoth(t *testing.T) {
	d := sweptCard{firmware: "5.7.4", algorithm: piv.ECCP256, split: true}.desk(t)
	setFaults(t, "off")
	d.mustRun()
	before := d.card.Snapshot()
	d.renew(enroll.RenewNewKey)
	receipt := d.mustRun()
	d.checkRenewed(before, receipt, 4)
	if len(receipt.Renewal.Keys) != 2 || receipt.Renewal.Keys[0].MovedTo != "82" || receipt.Renewal.Keys[1].MovedTo != "83" {
		t.Errorf("receipt %+v", receipt.Renewal)
	}
}

func TestRenewalWithTheSameKey(t *testing.T) {
	for _, firmware := range []string{"5.2.7", "5.4.3", "5.7.4"} {
		t.Run(firmware, func(t *testing.T) {
			d := enrolled(t, firmware, enroll.RenewSameKey)
			for n := range 2 {
				before := d.card.Snapshot()
				receipt := d.mustRun()
				d.checkRenewed(before, receipt, n+2)
				if old := receipt.Renewal.Keys; len(old) != 1 || old[0].MovedTo != "" || old[0].LeafSHA256 == receipt.Keys[0].LeafSHA256 {
					t.Errorf("receipt %+v", old)
				}
				d.renew(enroll.RenewSameKey)
			}
		})
	}
}

// TestOldFirmwareLosesNoKeyUnasked: a card that cannot move keys keeps the old one until
// its serial number was typed.
func TestOldFirmwareLosesNoKeyUnasked(t *testing.T) {
	d := enrolled(t, "5.4.3", enroll.RenewNewKey)
	before := d.card.Snapshot()
	_, err := d.run()
	var cannot *enroll.CannotKeepKeyError
	if !errors.As(err, &cannot) || !strings.Contains(err.Error(), "could no longer be read") {
		t.Fatalf("unasked: %v", err)
	}
	d.request.Overwrite, d.request.Confirm = true, "1"
	var other *enroll.OtherCardConfirmedError
	if _, err := d.run(); !errors.As(err, &other) {
		t.Fatalf("with another serial number: %v", err)
	}
	if now := d.card.Snapshot(); publicText(now.Slots[0x9D].PublicKey) != publicText(before.Slots[0x9D].PublicKey) || len(practice.Gmail().KeyPairs(d.email)) != 1 {
		t.Fatal("the key was lost")
	}
	d.request.Confirm = fmt.Sprint(d.serial)
	receipt := d.mustRun()
	d.checkRenewed(before, receipt, 2)
	if receipt.Renewal.Keys[0].MovedTo != "" {
		t.Errorf("receipt %+v", receipt.Renewal)
	}
}

// fillRetired puts keys into retired slots.
func (d *desk) fillRetired(n int) {
	d.t.Helper()
	opened, err := piv.Open(d.t.Context(), d.serial, piv.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	management := secret.New(d.card.Snapshot().ManagementKey.Value)
	for i := range n {
		if _, err := opened.Generate(d.t.Context(), management, piv.SlotRetiredFirst+piv.Slot(i), piv.GenerateOptions{Algorithm: piv.ECCP256}); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := opened.Release(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

func TestFullRetiredSlotsAreSaidFirst(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	d.fillRetired(20)
	before := d.everything()
	_, err := d.run()
	var full *enroll.RetiredSlotsError
	if !errors.As(err, &full) || full.Free != 0 {
		t.Fatalf("got %v", err)
	}
	d.checkSame(before)
	preview, err := enroll.NewPreview(t.Context(), d.deps, d.request)
	if err != nil || !errors.As(preview.Refused(), &full) {
		t.Errorf("the preview says %v, %v", preview.Refused(), err)
	}
	d.request.Renew = enroll.RenewSameKey
	d.mustRun()
}

// checkSame compares card and Gmail with what they were.
func (d *desk) checkSame(before everything) {
	d.t.Helper()
	after := d.everything()
	if !reflect.DeepEqual(after.card, before.card) || !reflect.DeepEqual(after.keyPairs, before.keyPairs) || !reflect.DeepEqual(after.identities, before.identities) {
		d.t.Error("something was changed")
	}
}

func TestRenewalRepairsALyingKeyHistory(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	d.card.PutObject(0x5FC10C, []byte{0xC1, 1, 9, 0xC2, 1, 2, 0xFE, 0})
	var notes []string
	d.deps.Notify = func(event enroll.Event) { notes = append(notes, event.Message) }
	before := d.card.Snapshot()
	d.checkRenewed(before, d.mustRun(), 2)
	if !slices.ContainsFunc(notes, func(s string) bool {
		return strings.Contains(s, "counts 9 retired keys") && strings.Contains(s, "put right")
	}) {
		t.Errorf("told was %q", notes)
	}
}

func TestRenewalIsOfWhoIsEnrolled(t *testing.T) {
	t.Run("nobody", func(t *testing.T) {
		d := newDesk(t, "5.7.4")
		d.renew(enroll.RenewNewKey)
		_, err := d.run()
		var not *enroll.NotEnrolledError
		if !errors.As(err, &not) {
			t.Fatalf("got %v", err)
		}
		d.checkUntouched()
	})
	t.Run("another key in the slot", func(t *testing.T) {
		d := enrolled(t, "5.7.4", enroll.RenewSameKey)
		opened, err := piv.Open(t.Context(), d.serial, piv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opened.Generate(t.Context(), secret.New(d.card.Snapshot().ManagementKey.Value), piv.SlotKeyManagement, piv.GenerateOptions{Algorithm: piv.ECCP256}); err != nil {
			t.Fatal(err)
		}
		if err := opened.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []enroll.Renewal{enroll.RenewSameKey, enroll.RenewNewKey} {
			d.request.Renew = kind
			_, err = d.run()
			var not *enroll.NotEnrolledError
			if !errors.As(err, &not) || not.Slot == nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	})
}

func TestRenewalBeforeItIsDue(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	d.request.RenewWithin = 24 * time.Hour
	before := d.everything()
	_, err := d.run()
	var early *enroll.NotDueError
	if !errors.As(err, &early) || early.NotAfter.Before(time.Now()) {
		t.Fatalf("got %v", err)
	}
	d.checkSame(before)
	d.request.RenewWithin = 10 * 365 * 24 * time.Hour
	d.mustRun()
}

// TestRenewalSaysWhatComes previews a renewal.
func TestRenewalSaysWhatComes(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	before := d.everything()
	preview, err := enroll.NewPreview(t.Context(), d.deps, d.request)
	if err != nil || preview.Err() != nil {
		t.Fatal(err, preview.Err())
	}
	d.checkSame(before)
	var notes []string
	for _, step := range preview.Steps {
		if step.ID == "keep-old-key" {
			notes = step.Notes
		}
	}
	if !slices.ContainsFunc(notes, func(s string) bool { return strings.Contains(s, "slot 82") }) || preview.Slots[0].Action != enroll.ActionMove || preview.Losses() != nil {
		t.Errorf("notes %q, slots %+v", notes, preview.Slots)
	}
}

// TestRenewalSweeps interrupts renewals at a sample of the commands to the card and the
// calls of the API, or at all of them, and runs the same again.
func TestRenewalSweeps(t *testing.T) {
	for _, c := range []struct {
		firmware string
		kind     enroll.Renewal
	}{{"5.7.4", enroll.RenewNewKey}, {"5.7.4", enroll.RenewSameKey}, {"5.4.3", enroll.RenewNewKey}} {
		t.Run(c.firmware+"-"+string(c.kind), func(t *testing.T) {
			sweepOf(func(t *testing.T) sweep.Attempt {
				d := enrolled(t, c.firmware, c.kind)
				if c.firmware == "5.4.3" {
					d.request.Overwrite, d.request.Confirm = true, fmt.Sprint(d.serial)
				}
				before := d.card.Snapshot()
				var receipt *enroll.Receipt
				return d.attempt(func() (err error) {
					receipt, err = d.run()
					return err
				}, func() { d.checkRenewed(before, receipt, 2) })
			}, sampled).Sweep(t)
		})
	}
}
