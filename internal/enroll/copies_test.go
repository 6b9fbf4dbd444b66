package enroll_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab/sweep"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// formerKey is the copy of a key that somebody had before.
func formerKey(t testing.TB, key crypto.Signer) enroll.KeyCopy {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().AddDate(1, 0, 0), EmailAddresses: []string{"ada@lab.example"}}
	return enroll.KeyCopy{PrivateKey: certificate.PrivateKey{Key: key, Certificate: certtest.Issue(t, template, key, nil).Cert}}
}

func formerEC(t testing.TB) enroll.KeyCopy {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return formerKey(t, key)
}

// copying is a desk with a new card that gets copies of two old keys.
func copying(t *testing.T, firmware string) *desk {
	t.Helper()
	d := sweptCard{firmware: firmware, algorithm: piv.ECCP256}.desk(t)
	d.request.Copies = []enroll.KeyCopy{formerEC(t), formerEC(t)}
	return d
}

// checkCopies: each copy is in one retired slot, with its certificate, Key History counts them, and the
// receipt names them.
func (d *desk) checkCopies(receipt *enroll.Receipt) {
	d.t.Helper()
	d.checkWhole(receipt)
	now := d.card.Snapshot()
	retired := map[string]byte{}
	for slot, held := range now.Slots {
		if slot >= byte(piv.SlotRetiredFirst) && slot <= byte(piv.SlotRetiredLast) {
			retired[publicText(held.PublicKey)] = slot
		}
	}
	if len(retired) != len(d.request.Copies) || len(receipt.Copies) != len(d.request.Copies) {
		d.t.Fatalf("%d retired keys, receipt %+v", len(retired), receipt.Copies)
	}
	for i, entry := range d.request.Copies {
		slot, there := retired[publicText(entry.Key.Public())]
		if !there || !bytes.Contains(now.Objects[objectOf(slot)], entry.Certificate.Raw) {
			d.t.Errorf("copy %d is in slot %x: %v, or its certificate is not", i, slot, there)
		}
		if said := receipt.Copies[i]; said.Slot != fmt.Sprintf("%02x", slot) || said.Origin != piv.Imported {
			d.t.Errorf("receipt %+v, slot %x", said, slot)
		}
	}
	if history := now.Objects[0x5FC10C]; !bytes.Equal(history, []byte{0xC1, 1, byte(len(retired)), 0xC2, 1, 0, 0xFE, 0}) {
		d.t.Errorf("the Key History object is % X", history)
	}
}

// TestCopiesSweeps interrupts an enrollment that imports copies of old keys, at each position on the
// firmware that tells what is in its slots and on the one that does not.
func TestCopiesSweeps(t *testing.T) {
	for _, firmware := range []string{"5.7.4", "5.2.7"} {
		t.Run(firmware, func(t *testing.T) {
			sweepOf(func(t *testing.T) sweep.Attempt {
				d := copying(t, firmware)
				var receipt *enroll.Receipt
				runs := 0
				return d.attempt(func() (err error) {
					runs++
					receipt, err = d.run()
					return err
				}, func() {
					d.checkCopies(receipt)
					for i, entry := range receipt.Copies {
						if runs == 1 && !entry.Imported {
							t.Errorf("copy %d was imported, by the only run", i)
						}
					}
				})
			}, sampled).Sweep(t)
		})
	}
}

// TestCopiesOnce: the same again imports nothing, finds the slots again, and says so.
func TestCopiesOnce(t *testing.T) {
	d := copying(t, "5.7.4")
	setFaults(t, "off")
	receipt := d.mustRun()
	d.checkCopies(receipt)
	before := d.card.Snapshot()
	again := d.mustRun()
	if !receipt.Copies[0].Imported || again.Copies[0].Imported || again.Copies[1].Slot != receipt.Copies[1].Slot {
		t.Errorf("first %+v, again %+v", receipt.Copies, again.Copies)
	}
	if now := d.card.Snapshot(); !maps.EqualFunc(before.Objects, now.Objects, bytes.Equal) {
		t.Error("the same again changed the card")
	}
}

// TestCopiesAlike: one key with two certificates, as after a renewal with the same key, is copied with
// each of them, for mail names the certificate that it was encrypted to. The same copy twice is one.
func TestCopiesAlike(t *testing.T) {
	d := copying(t, "5.7.4")
	d.request.Copies[1] = formerKey(t, d.request.Copies[0].Key)
	want := d.request.Copies
	d.request.Copies = append(slices.Clone(want), want...)
	setFaults(t, "off")
	for range 2 {
		receipt := d.mustRun()
		if len(receipt.Copies) != 2 || receipt.Copies[0].Slot != "82" || receipt.Copies[1].Slot != "83" {
			t.Fatalf("%+v", receipt.Copies)
		}
		for i, slot := range []byte{0x82, 0x83} {
			now := d.card.Snapshot()
			if publicText(now.Slots[slot].PublicKey) != publicText(want[i].Key.Public()) || !bytes.Contains(now.Objects[objectOf(slot)], want[i].Certificate.Raw) {
				t.Errorf("slot %x has another key or certificate", slot)
			}
		}
	}
}

// TestCopiesThatCannotBe are refused before anything is changed: a card whose retired slots are full, an
// algorithm that it does not have, a key without a certificate, and a slot that may hold a key.
func TestCopiesThatCannotBe(t *testing.T) {
	refused := func(t *testing.T, d *desk, is func(error) bool) {
		t.Helper()
		setFaults(t, "off")
		before := d.card.Snapshot()
		if _, err := d.run(); !is(err) {
			t.Errorf("error %v", err)
		}
		now := d.card.Snapshot()
		if !now.PIN.Default || !now.PUK.Default || len(now.Slots) != len(before.Slots) || !maps.EqualFunc(before.Objects, now.Objects, bytes.Equal) {
			t.Error("the card was changed")
		}
	}
	t.Run("full", func(t *testing.T) {
		d := copying(t, "5.7.4")
		setFaults(t, "off")
		d.fillRetired(19)
		refused(t, d, func(err error) bool {
			full, is := errors.AsType[*enroll.RetiredSlotsError](err)
			return is && full.Copies && full.Free == 1 && full.Needed == 2 &&
				strings.HasSuffix(err.Error(), fmt.Sprintf("copies of old keys that need a retired slot of card %d each: 2; free ones of its 20: 1", d.serial))
		})
	})
	t.Run("full, but for those that are there", func(t *testing.T) {
		d := copying(t, "5.7.4")
		setFaults(t, "off")
		d.fillRetired(17)
		d.mustRun()
		d.request.Copies = append(slices.Clone(d.request.Copies), formerEC(t), formerEC(t))
		d.request.Copies = append(d.request.Copies, d.request.Copies...) // named twice
		_, err := d.run()
		if full, is := errors.AsType[*enroll.RetiredSlotsError](err); !is || full.Free != 1 || full.Needed != 2 {
			t.Errorf("error %v", err)
		}
	})
	for firmware, bits := range map[string]int{"5.4.3": 3072, "5.7.4": 1536} {
		t.Run(fmt.Sprintf("RSA %d on %s", bits, firmware), func(t *testing.T) {
			d := copying(t, firmware)
			key, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				t.Fatal(err)
			}
			d.request.Copies = []enroll.KeyCopy{formerKey(t, key)}
			refused(t, d, func(err error) bool { return err != nil && !isCardTrouble(err) })
		})
	}
	t.Run("without a certificate", func(t *testing.T) {
		d := copying(t, "5.7.4")
		d.request.Copies[1].Certificate = nil
		refused(t, d, enroll.IsUsage)
	})
	t.Run("silent", func(t *testing.T) {
		d := copying(t, "5.2.7")
		d.request.Overwrite, d.request.Confirm, d.request.Agreed = true, fmt.Sprint(d.serial), []string{}
		refused(t, d, func(err error) bool {
			_, is := errors.AsType[*enroll.OccupiedError](err)
			return is
		})
	})
}

// TestCopiesSaysWhatComes previews an enrollment with copies, and changes nothing.
func TestCopiesSaysWhatComes(t *testing.T) {
	d := copying(t, "5.7.4")
	setFaults(t, "off")
	before := d.everything()
	preview, err := enroll.NewPreview(t.Context(), d.deps, d.request)
	if err != nil || preview.Err() != nil {
		t.Fatal(err, preview.Err())
	}
	d.checkSame(before)
	var notes []string
	for _, step := range preview.Steps {
		if step.ID == "import-copy" {
			notes = append(notes, step.Slot)
			notes = append(notes, step.Notes...)
		}
	}
	if want := []string{"82", "it goes to slot 82 with its certificate, and old mail stays readable", "83", "it goes to slot 83 with its certificate, and old mail stays readable"}; !slices.Equal(notes, want) {
		t.Errorf("%q", notes)
	}
}
