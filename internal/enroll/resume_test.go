package enroll_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// overwrites lets the desk's request overwrite whatever the slots hold.
func (d *desk) overwrites() {
	d.request.Overwrite, d.request.Confirm = true, strconv.FormatUint(uint64(d.serial), 10)
}

// slotKey is the key that the virtual card really has in slot 9d.
func (d *desk) slotKey() crypto.PublicKey {
	return d.card.Snapshot().Slots[byte(piv.SlotKeyManagement)].PublicKey
}

// TestImportedKeyWithoutCertificate: firmware before 5.3 shows it as no key at all.
// It is lost only to a serial number that was typed, whatever is said of the card.
func TestImportedKeyWithoutCertificate(t *testing.T) {
	for _, firmware := range []string{"4.3.7", "5.1.2", "5.2.7"} {
		t.Run(firmware, func(t *testing.T) {
			d := newDesk(t, firmware)
			setFaults(t, "off")
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			d.importKey(piv.SlotKeyManagement, key)
			d.request.NewCard = true
			var occupied *enroll.OccupiedError
			if _, err := d.run(); !errors.As(err, &occupied) || !strings.Contains(err.Error(), "cannot tell") {
				t.Errorf("it ended as %v", err)
			}
			preview := d.mustPreview()
			if preview.Slots[0].Action != enroll.ActionReplace || len(preview.Losses()) == 0 {
				t.Errorf("a preview says %+v", preview.Slots)
			}
			if !certificate.SameKey(d.slotKey(), &key.PublicKey) {
				t.Fatal("the imported key is gone")
			}
			d.overwrites()
			d.request.Confirm = "1"
			if _, err := d.run(); err == nil || !certificate.SameKey(d.slotKey(), &key.PublicKey) {
				t.Fatalf("the imported key is gone, with another serial number typed: %v", err)
			}
			d.overwrites()
			d.checkWhole(d.mustRun())
		})
	}
}

// TestOwnKeyIsKnownOnOldFirmware: a run that was broken off knows its key by the
// journal, so that nothing is asked again.
func TestOwnKeyIsKnownOnOldFirmware(t *testing.T) {
	for _, firmware := range []string{"4.3.7", "5.1.2", "5.2.7"} {
		t.Run(firmware, func(t *testing.T) {
			d := newDesk(t, firmware)
			setFaults(t, "off")
			d.request.NewCard = true
			d.overwrites()
			d.mustWait()
			key := d.slotKey()
			d.request.Overwrite, d.request.Confirm = false, ""
			d.checkWhole(d.mustRun())
			d.overwrites()
			d.checkWhole(d.mustRun())
			if !certificate.SameKey(d.slotKey(), key) {
				t.Error("another key was generated")
			}
		})
	}
}

// TestTheSameAgainIsAContinuation: with leave to overwrite, too, with the evidence
// and without it.
func TestTheSameAgainIsAContinuation(t *testing.T) {
	for _, firmware := range []string{"5.7.4", "5.2.7"} {
		for _, split := range []bool{false, true} {
			t.Run(firmware+"-split-"+strconv.FormatBool(split), func(t *testing.T) {
				d := newDesk(t, firmware)
				setFaults(t, "off")
				d.request.NewCard = firmware != "5.7.4"
				d.overwrites()
				if split {
					d.split()
				}
				first := d.mustRun()
				before := d.everything()
				for range 2 {
					d.deps = d.newFixture()
					if again := d.mustRun(); again.Evidence != first.Evidence || again.Keys[0] != first.Keys[0] || again.Identity != first.Identity {
						t.Errorf("first %+v, then %+v", first, again)
					}
				}
				// Another computer, where nothing is known: the layout is that of Gmail.
				d.deps.Evidence = t.TempDir()
				d.request.NewCard = false
				d.request.Keys, d.request.Defaulted = d.request.Keys[len(d.request.Keys)-1:], enroll.Options()
				d.request.Keys[0].Use, d.request.Keys[0].Algorithm = certificate.UseBoth, piv.RSA2048
				again := d.mustRun()
				if len(again.Keys) != len(first.Keys) || again.Keys[0] != first.Keys[0] || again.Identity != first.Identity {
					t.Errorf("first %+v, then elsewhere %+v", first, again)
				}
				after := d.everything()
				for slot, key := range before.card.Slots {
					if !certificate.SameKey(after.card.Slots[slot].PublicKey, key.PublicKey) {
						t.Errorf("the key in slot %x is another", slot)
					}
				}
				if len(after.keyPairs) != len(before.keyPairs) || len(after.identities) != 1 {
					t.Errorf("Gmail has %d key pairs and %d identities", len(after.keyPairs), len(after.identities))
				}
			})
		}
	}
}

// TestOtherChoicesStop: what was begun or finished with is said beside what is
// asked for, and nothing is changed.
func TestOtherChoicesStop(t *testing.T) {
	for name, change := range map[string]func(*enroll.Request){
		"algorithm":    func(r *enroll.Request) { r.Keys[0].Algorithm = piv.RSA2048 },
		"touch-policy": func(r *enroll.Request) { r.Keys[0].TouchPolicy = piv.TouchAlways },
		"pin-policy":   func(r *enroll.Request) { r.Keys[0].PINPolicy = piv.PINAlways },
		"slot":         func(r *enroll.Request) { r.Keys[0].Slot = piv.SlotSignature },
		"layout": func(r *enroll.Request) {
			r.Keys = enroll.LayoutSplit.Keys(r.Keys[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "5.7.4")
			setFaults(t, "off")
			asked := func() enroll.Request {
				request := d.request
				request.Keys = []enroll.KeyRequest{d.request.Keys[0]}
				change(&request)
				return request
			}
			for _, advance := range []func(){d.mustWait, func() { d.mustRun() }} {
				advance()
				begun := d.request
				before := d.everything()
				d.request = asked()
				d.overwrites()
				_, err := d.run()
				var conflict *enroll.ConflictError
				if !errors.As(err, &conflict) || conflict.Differences[0].Option != enroll.Option(name) || len(conflict.Keys) != 1 {
					t.Errorf("it ended as %v", err)
				}
				// What nobody chose is as it was begun.
				d.request.Defaulted = enroll.Options()
				if preview := d.mustPreview(); preview.Refused() != nil || preview.Request.Keys[0] != begun.Keys[0] {
					t.Errorf("what nobody chose is %+v: %v", preview.Request.Keys, preview.Refused())
				}
				if after := d.everything(); !certificate.SameKey(after.card.Slots[byte(piv.SlotKeyManagement)].PublicKey, before.card.Slots[byte(piv.SlotKeyManagement)].PublicKey) || len(after.card.Slots) != len(before.card.Slots) {
					t.Error("the card was changed")
				}
				d.request = begun
			}
		})
	}
}

// TestANewKeyInPlaceOfTheEnrolledOne is a wish of its own, which names the key and
// is carried out once.
func TestANewKeyInPlaceOfTheEnrolledOne(t *testing.T) {
	for _, firmware := range []string{"5.7.4", "5.2.7"} {
		t.Run(firmware, func(t *testing.T) {
			d := newDesk(t, firmware)
			setFaults(t, "off")
			d.request.NewCard = firmware != "5.7.4"
			d.overwrites()
			first := d.mustRun()
			old := d.slotKey()
			d.request.Overwrite, d.request.Confirm = false, ""
			d.request.Replace = []string{first.Keys[0].LeafSHA256[:16]}
			d.request.Keys[0].Algorithm = piv.ECCP384
			if preview := d.mustPreview(); preview.Err() == nil || len(preview.Losses()) != 2 {
				t.Errorf("%v, %q", preview.Err(), preview.Losses())
			}
			agreed := d.request
			d.overwrites()
			preview := d.mustPreview()
			for _, step := range preview.Steps {
				if slices.Contains([]string{"generate", "attest", "request", "certificate", "import", "create-key-pair", "set-identity", "record"}, step.ID) && step.Outcome != enroll.OutcomeWould {
					t.Errorf("%s: %q, %v", step.Title, step.Outcome, step.Err)
				}
			}
			d.request = agreed
			var missing *enroll.MissingError
			if _, err := d.run(); !errors.As(err, &missing) || !certificate.SameKey(d.slotKey(), old) {
				t.Fatalf("without the serial number typed: %v", err)
			}
			d.request.Confirm = strconv.FormatUint(uint64(d.serial), 10)
			d.mustWait() // broken off on the way
			key := d.slotKey()
			second := d.mustRun()
			third := d.mustRun()
			if certificate.SameKey(key, old) || !certificate.SameKey(d.slotKey(), key) || second.Keys[0].Algorithm != string(piv.ECCP384) || third.Keys[0] != second.Keys[0] || third.Evidence != second.Evidence {
				t.Errorf("%+v, then %+v, then %+v", first, second, third)
			}
			if second.Evidence == first.Evidence {
				t.Error("the first enrollment's evidence was written over")
			}
			if _, err := os.Stat(first.Evidence); err != nil {
				t.Error(err)
			}
			if n := len(practice.Gmail().KeyPairs(d.email)); n != 2 {
				t.Errorf("Gmail has %d key pairs", n)
			}
		})
	}
}

// otherIssuer is the same authority under another name.
type otherIssuer struct{ issuer.Issuer }

func (otherIssuer) Name() string { return "another" }

// TestAnotherIssuerIsNotAskedUnasked: a request that one issuer has goes to another
// only where that was said, with the card or without it.
func TestAnotherIssuerIsNotAskedUnasked(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.mustWait()
	d.deps.Issuer = otherIssuer{d.deps.Issuer}
	var changed *enroll.IssuerChangedError
	if preview := d.mustPreview(); !errors.As(preview.Err(), &changed) {
		t.Errorf("a preview says %v", preview.Err())
	}
	if _, err := d.run(); !errors.As(err, &changed) || changed.Now != "another" {
		t.Errorf("it ended as %v", err)
	}
	if _, err := enroll.Poll(t.Context(), d.deps, d.email, 0); !errors.As(err, &changed) {
		t.Errorf("collecting ended as %v", err)
	}
	d.request.ChangeIssuer = true
	first := d.mustRun()
	d.request.ChangeIssuer = false
	if second := d.mustRun(); second.Keys[0] != first.Keys[0] {
		t.Errorf("first %+v, then %+v", first, second)
	}
	// Who signed what is there is not chosen again.
	d.deps = d.newFixture()
	var conflict *enroll.ConflictError
	if _, err := d.run(); !errors.As(err, &conflict) || conflict.Differences[0].Option != enroll.OptionIssuer {
		t.Errorf("it ended as %v", err)
	}
	d.request.Defaulted = []enroll.Option{enroll.OptionIssuer}
	d.checkWhole(d.mustRun())
}
