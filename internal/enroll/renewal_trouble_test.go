package enroll_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// at calls something once, when a step begins.
func (d *desk) at(step string, do func()) {
	d.deps.Notify = func(event enroll.Event) {
		d.t.Logf("%s %s %s", event.Step, event.State, event.Message)
		if event.Step == step && event.State == enroll.StateStarted && do != nil {
			do()
			do = nil
		}
	}
}

// TestWrongCardPutBackInARenewal: another card takes the place of the one whose key is to
// be moved; neither is changed, and the right one goes on.
func TestWrongCardPutBackInARenewal(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	other, err := practice.NewCard(lab.CardSpec{Serial: 20_000_000 + serials.Add(1), Firmware: "5.7.4"})
	if err != nil {
		t.Fatal(err)
	}
	before, untouched := d.card.Snapshot(), other.Snapshot()
	d.deps.CardTimeout = time.Millisecond
	d.at("keep-old-key", func() {
		_ = practice.Pull(0)
		if err := practice.Insert(0, other); err != nil {
			t.Error(err)
		}
	})
	_, err = d.run()
	var wrong *piv.WrongCardError
	if !errors.As(err, &wrong) || wrong.Want != d.serial {
		t.Fatalf("got %v", err)
	}
	if now := other.Snapshot(); len(now.Slots) != len(untouched.Slots) || len(now.Objects) != len(untouched.Objects) || now.PIN.Tries != now.PIN.Max {
		t.Error("the other card was changed")
	}
	d.insert()
	d.deps = d.newFixture()
	d.checkRenewed(before, d.mustRun(), 2)
}

// TestFullCardMovesNothing: the certificate finds no room in the retired slot, so the key
// stays where it is.
func TestFullCardMovesNothing(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	before := d.card.Snapshot()
	d.card.SetCardFull(true)
	_, err := d.run()
	d.card.SetCardFull(false)
	if !errors.Is(err, piv.ErrCardFull) {
		t.Fatalf("got %v", err)
	}
	if now := d.card.Snapshot(); publicText(now.Slots[0x9D].PublicKey) != publicText(before.Slots[0x9D].PublicKey) || len(now.Slots) != len(before.Slots) {
		t.Error("the key was moved")
	}
	d.checkRenewed(before, d.mustRun(), 2)
}

// TestIdentityChangedInARenewal: somebody sets the identity while a renewal is under way.
// It stays as they set it, and nothing is lost; the same again moves it.
func TestIdentityChangedInARenewal(t *testing.T) {
	d := enrolled(t, "5.7.4", enroll.RenewNewKey)
	first := practice.Gmail().KeyPairs(d.email)[0].ID
	d.mustRun()
	d.renew(enroll.RenewNewKey)
	before := d.card.Snapshot()
	d.at("set-identity", func() {
		account, err := d.deps.Account(t.Context(), d.email)
		if err == nil {
			_, err = account.PatchIdentity(t.Context(), gmail.Identity{Email: d.email, PrimaryKeyPairID: first})
		}
		if err != nil {
			t.Error(err)
		}
	})
	_, err := d.run()
	var changed *gmail.Error
	if !errors.As(err, &changed) || changed.Kind != gmail.KindMismatch {
		t.Fatalf("got %v", err)
	}
	if now := practice.Gmail().Identities(d.email); now[0].PrimaryKeyPairID != first {
		t.Errorf("the identity is %+v", now)
	}
	d.deps = d.newFixture()
	d.checkRenewed(before, d.mustRun(), 3)
}
