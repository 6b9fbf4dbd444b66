package enroll_test

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestRenewalBegunOnAnotherComputer: the key was moved, and the evidence of that is elsewhere. The card
// and Gmail tell whose key it is: the renewal is gone on with; where a new key is in the slot already,
// it is said where the old one is, and nothing is changed.
func TestRenewalBegunOnAnotherComputer(t *testing.T) {
	t.Run("moved", func(t *testing.T) {
		d := enrolled(t, "5.7.4", enroll.RenewNewKey)
		before := d.card.Snapshot()
		d.stopAt("generate")
		d.deps.Evidence = t.TempDir()
		d.checkRenewed(before, d.mustRun(), 2)
	})
	t.Run("new key made", func(t *testing.T) {
		d := enrolled(t, "5.7.4", enroll.RenewNewKey)
		d.stopAt("attest")
		d.deps.Evidence = t.TempDir()
		before := d.card.Snapshot()
		for _, kind := range []enroll.Renewal{enroll.RenewNewKey, enroll.RenewSameKey} {
			d.request.Renew = kind
			_, err := d.run()
			var not *enroll.NotEnrolledError
			if !errors.As(err, &not) || not.Slot == nil || *not.Slot != piv.SlotKeyManagement || not.MovedTo == nil || *not.MovedTo != piv.SlotRetiredFirst {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if now := d.card.Snapshot(); len(now.Slots) != len(before.Slots) || publicText(now.Slots[0x9D].PublicKey) != publicText(before.Slots[0x9D].PublicKey) {
			t.Error("the card was changed")
		}
	})
}

// stopAt breaks the run off when a step begins, and has the same desk go on afterwards.
func (d *desk) stopAt(step string) {
	d.t.Helper()
	d.deps.CardTimeout = 1
	d.at(step, func() { _ = practice.Pull(0) })
	if _, err := d.run(); !isCardTrouble(err) {
		d.t.Fatalf("got %v", err)
	}
	d.insert()
	d.deps = d.newFixture()
}
