package enroll_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// standings are those of the card's sealed records, the oldest first.
func (d *desk) standings() (all []string) {
	d.t.Helper()
	list, err := escrow.List(context.Background(), d.escrow, d.serial)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, record := range list {
		all = append(all, fmt.Sprint(record.State, record.InForce))
	}
	return all
}

// TestRetriesLeaveOneRecord: as long as the management key is not set, each run
// takes up what the first one sealed.
func TestRetriesLeaveOneRecord(t *testing.T) {
	for _, firmware := range []string{"5.7.4", silent} {
		t.Run(firmware, func(t *testing.T) {
			d := newSilentDesk(t, firmware)
			d.request.NewCard = true
			setFaults(t, "off")
			for range 3 {
				d.mustWait()
				if got := d.standings(); len(got) != 1 || got[0] != "in force[PUK]" {
					t.Errorf("sealed is %q", got)
				}
			}
			receipt := d.mustRun()
			if got := d.standings(); len(got) != 1 || got[0] != "in force[PUK management key]" {
				t.Errorf("sealed is %q", got)
			}
			records, err := escrow.ReadAll(t.Context(), d.escrow, d.serial)
			if err != nil || receipt.EscrowInForce == nil || receipt.EscrowInForce.PUK != records[0].Path || receipt.EscrowInForce.ManagementKey != records[0].Path {
				t.Errorf("%v; the receipt says %+v", err, receipt.EscrowInForce)
			}
			d.checkWhole(receipt)
		})
	}
}

// sealToAbsent has secrets sealed to somebody who is not at the desk, and returns
// their identity.
func (d *desk) sealToAbsent() *age.X25519Identity {
	d.t.Helper()
	absent, err := age.GenerateX25519Identity()
	if err != nil {
		d.t.Fatal(err)
	}
	store, err := escrow.NewAge(d.escrow, []string{absent.Recipient().String()})
	if err != nil {
		d.t.Fatal(err)
	}
	d.deps.Escrow = store
	d.deps.Recover = func(ctx context.Context, serial uint32) ([]escrow.Record, error) {
		return nil, nil
	}
	return absent
}

// TestRetriesThatCannotReadWhatWasSealed leave no more than two records: the one
// with the PUK, and the one with the management key, which says what it replaces.
func TestRetriesThatCannotReadWhatWasSealed(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	absent := d.sealToAbsent()
	for range 3 {
		d.mustWait()
		if got := d.standings(); len(got) != 1 || got[0] != "in force[PUK]" {
			t.Errorf("sealed is %q", got)
		}
	}
	d.deps.Now = func() time.Time { return time.Now().Add(time.Minute) }
	receipt := d.mustRun()
	if got := d.standings(); len(got) != 2 || got[0] != "in force[PUK]" || got[1] != "in force[management key]" {
		t.Errorf("sealed is %q", got)
	}
	first, err := escrow.Open(receipt.EscrowInForce.PUK, absent)
	if err != nil {
		t.Fatal(err)
	}
	second, err := escrow.Open(receipt.EscrowInForce.ManagementKey, absent)
	if err != nil || len(second.Replaces) != 1 || second.Replaces[0] != filepath.Base(first.Path) {
		t.Errorf("it replaces %v, %v", second.Replaces, err)
	}
	snapshot := d.card.Snapshot()
	if !first.PUK.Equal(secret.FromString(snapshot.PUK.Value)) || !second.ManagementKey.Equal(secret.New(snapshot.ManagementKey.Value)) {
		t.Error("the card has other secrets than those that the receipt says")
	}
}

// TestLostAnswersOfSecrets: the run that is broken off when the card has a secret
// and nobody knows it yet is followed by one that finds out which record is in
// force, with the identity at hand and without.
func TestLostAnswersOfSecrets(t *testing.T) {
	for _, test := range []struct {
		firmware, step string
		absent         bool
	}{
		{silent, "set-puk", false}, {silent, "set-puk", true}, {"5.7.4", "set-puk", true},
		{silent, "set-management-key", false}, {"5.7.4", "set-management-key", true},
	} {
		t.Run(fmt.Sprintf("%s-%s-%v", test.firmware, test.step, test.absent), func(t *testing.T) {
			for n := 1; loseSecret(t, test.firmware, test.step, fmt.Sprintf("card:pull-after@%d", n), test.absent); n++ {
			}
		})
	}
}

// loseSecret is pullIn for a card with that firmware, whose secrets are sealed to
// somebody absent or not.
func loseSecret(t *testing.T, firmware, step, fault string, absent bool) (came bool) {
	d := newSilentDesk(t, firmware)
	d.request.NewCard = true
	identities := []age.Identity{}
	seal := func() {
		d.deps = d.newFixture()
		if absent {
			identities = append(identities, d.sealToAbsent())
		}
	}
	seal()
	notify := d.deps.Notify
	d.deps.Notify = func(event enroll.Event) {
		notify(event)
		if event.State == enroll.StateStarted {
			setFaults(t, "off")
			if event.Step == step {
				setFaults(t, "off", fault)
			}
		}
	}
	_, err := d.run()
	if err != nil && !isCardTrouble(err) {
		t.Fatalf("%s in %s: %v", fault, step, err)
	}
	if err == nil {
		return false
	}
	setFaults(t, "off")
	d.insert()
	seal()
	receipt := d.mustRun()
	snapshot := d.card.Snapshot()
	sealed := receipt.EscrowInForce
	if sealed == nil {
		t.Fatalf("%s in %s: the receipt does not say where the secrets are sealed", fault, step)
	}
	puk, pukErr := escrow.Open(sealed.PUK, identities...)
	key, keyErr := escrow.Open(sealed.ManagementKey, identities...)
	if err := errors.Join(pukErr, keyErr); err != nil || !puk.PUK.Equal(secret.FromString(snapshot.PUK.Value)) || !key.ManagementKey.Equal(secret.New(snapshot.ManagementKey.Value)) {
		t.Errorf("%s in %s: the card has other secrets than those that the receipt says: %v", fault, step, err)
	}
	// Sealed to somebody absent, it costs a try to find out that the PUK is in force.
	if snapshot.PIN.Tries != 3 || snapshot.PUK.Tries != 3 && (!absent || firmware != silent || snapshot.PUK.Tries != 2) {
		t.Errorf("%s in %s: tries left: PIN %d, PUK %d", fault, step, snapshot.PIN.Tries, snapshot.PUK.Tries)
	}
	return !t.Failed()
}
