package enroll_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestAnotherCardIsAskedFor: Gmail does not move from one card to another without
// a word, and the other card is not changed before.
func TestAnotherCardIsAskedFor(t *testing.T) {
	first := newDesk(t, "5.7.4")
	setFaults(t, "off")
	before := first.mustRun()
	second := newDesk(t, "5.7.4")
	setFaults(t, "off")
	second.email, second.request.Email = first.email, first.email
	second.deps.Evidence = first.deps.Evidence

	_, err := second.run()
	var other *enroll.OtherCardError
	if !errors.As(err, &other) || other.Serial != second.serial || len(other.Cards) != 1 || other.Cards[0] != fmt.Sprint("card ", first.serial) {
		t.Fatalf("it ended as %v", err)
	}
	if snapshot := second.card.Snapshot(); !snapshot.PIN.Default || !snapshot.PUK.Default || len(snapshot.Slots) > 1 {
		t.Error("the card was changed")
	}

	no := &person{t: t, agrees: map[string]bool{"replace-card": false}}
	second.deps.Prompter = no
	if _, err := second.run(); !errors.Is(err, enroll.ErrDeclined) {
		t.Fatalf("a no is %v", err)
	}
	if identities := practice.Gmail().Identities(first.email); len(identities) != 1 || identities[0].PrimaryKeyPairID != before.Identity.PrimaryKeyPairID {
		t.Errorf("the identity is %+v", identities)
	}

	// A yes is remembered, so that who waits for a certificate is not asked again.
	second.deps.Prompter = &person{t: t, agrees: map[string]bool{"replace-card": true}}
	second.mustWait()
	second.deps.Prompter = enroll.Unattended{}
	after := second.mustRun()
	if identities := practice.Gmail().Identities(first.email); len(identities) != 1 || identities[0].PrimaryKeyPairID != after.Identity.PrimaryKeyPairID || after.Identity == before.Identity {
		t.Errorf("the identity is %+v", identities)
	}
	for _, pair := range practice.Gmail().KeyPairs(first.email) {
		if !pair.Enabled {
			t.Errorf("key pair %s is disabled: old mail is unreadable", pair.ID)
		}
	}
	// It is the user's card now.
	second.deps.Evidence = t.TempDir()
	second.request.Keys[0].Source = enroll.SourceExisting
	second.deps.Chain = append(second.deps.Chain, practice.CA().Issuing(), practice.CA().Root())
	second.mustRun()
}

// TestCardWithTwoSerialNumbersEndsTheRunAtOnce: a card that says another serial number
// in PIV than in the management application does not come right by waiting, so the
// step is not begun again.
func TestCardWithTwoSerialNumbersEndsTheRunAtOnce(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off", "card:lie=serial")
	d.deps.Notify = func(event enroll.Event) {
		if event.State == enroll.StateRetry {
			t.Errorf("%s is tried again: %s", event.Step, event.Message)
		}
	}
	_, err := d.run()
	var mismatch *piv.SerialMismatchError
	if !errors.As(err, &mismatch) || mismatch.Management != d.serial || mismatch.PIV != d.serial+1 {
		t.Errorf("the run ended with %v", err)
	}
}
