package enroll_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/sweep"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// cardRequest asks for the desk's card to be made ready, with five tries of the PIN and four of the
// PUK.
func (d *desk) cardRequest() enroll.CardRequest {
	return enroll.CardRequest{Serial: d.serial, PIN: secret.FromString("271828"), PINTries: 5, PUKTries: 4,
		NewCard: !yubikey.Metadata.Of(d.card.Firmware())}
}

func (d *desk) init(request enroll.CardRequest) (*enroll.ReadyCard, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return enroll.InitCard(ctx, d.deps, request)
}

// checkReady: the card has its numbers of tries, no factory secret, its CHUID and CCC, and what was
// generated is sealed.
func (d *desk) checkReady(ready *enroll.ReadyCard) {
	d.t.Helper()
	s := d.card.Snapshot()
	if s.PIN.Value != "271828" || s.PIN.Tries != 5 || s.PIN.Max != 5 || s.PUK.Default || s.PUK.Tries != 4 || s.PUK.Max != 4 || s.ManagementKey.Default {
		d.t.Errorf("PIN %d of %d, PUK %d of %d (the factory one: %v), management key the factory one: %v",
			s.PIN.Tries, s.PIN.Max, s.PUK.Tries, s.PUK.Max, s.PUK.Default, s.ManagementKey.Default)
	}
	if len(s.Objects[0x5FC102]) == 0 || len(s.Objects[0x5FC107]) == 0 {
		d.t.Error("CHUID or CCC is missing")
	}
	d.checkEscrow(s)
	if ready == nil || ready.Serial != d.serial || ready.Evidence == "" {
		d.t.Errorf("%+v", ready)
	}
}

// TestCardIsMadeReady, once and again, and a person is enrolled with it afterwards who gives the PIN
// alone.
func TestCardIsMadeReady(t *testing.T) {
	for _, firmware := range []string{"4.3.7", "5.2.7", "5.4.3", "5.7.4"} {
		t.Run(firmware, func(t *testing.T) {
			d := newDesk(t, firmware)
			request := d.cardRequest()
			request.ProtectManagementKey = true
			ready, err := d.init(request)
			if err != nil {
				t.Fatal(err)
			}
			d.checkReady(ready)
			d.checkProtected(d.card.Snapshot())
			if !ready.PINProtected || ready.Escrow == nil || ready.Escrow.PUK == "" || ready.Escrow.ManagementKey == "" {
				t.Errorf("%+v", ready)
			}
			before := d.card.Snapshot()
			if _, err := d.init(request); err != nil {
				t.Fatal(err)
			}
			if after := d.card.Snapshot(); string(after.Objects[0x5FC102]) != string(before.Objects[0x5FC102]) || after.PUK.Value != before.PUK.Value {
				t.Error("the same again changed the card")
			}
			if !yubikey.Metadata.Of(d.card.Firmware()) {
				d.request.Overwrite, d.request.Confirm = true, fmt.Sprint(d.serial)
			}
			d.deps.Recover = nil
			d.mustRun()
			if after := d.card.Snapshot(); len(after.Objects[0x5FC10B]) == 0 || string(after.Objects[0x5FC102]) == string(before.Objects[0x5FC102]) {
				t.Error("no certificate, or the CHUID of before")
			}
		})
	}
}

// TestWrongCardPutBackInInit: another card takes the place of the one whose PUK is to be replaced;
// it is not changed, and the right one is made ready by the same again.
func TestWrongCardPutBackInInit(t *testing.T) {
	d := newDesk(t, "5.7.4")
	other, err := practice.NewCard(lab.CardSpec{Serial: 20_000_000 + serials.Add(1), Firmware: "5.7.4"})
	if err != nil {
		t.Fatal(err)
	}
	before := other.Snapshot()
	d.deps.CardTimeout = time.Millisecond
	d.at("set-puk", func() {
		_ = practice.Pull(0)
		if err := practice.Insert(0, other); err != nil {
			t.Error(err)
		}
	})
	_, err = d.init(d.cardRequest())
	var wrong *piv.WrongCardError
	if !errors.As(err, &wrong) || wrong.Want != d.serial {
		t.Fatalf("got %v", err)
	}
	if now := other.Snapshot(); !now.PIN.Default || !now.PUK.Default || !now.ManagementKey.Default || len(now.Objects) != len(before.Objects) || now.PIN.Tries != now.PIN.Max {
		t.Error("the other card was changed")
	}
	d.insert()
	d.deps = d.newFixture()
	ready, err := d.init(d.cardRequest())
	if err != nil {
		t.Fatal(err)
	}
	d.checkReady(ready)
}

// TestInitAtEveryCommand pulls the card before and after commands while it is made ready, and makes
// it ready again: on 5.7.4 at each, on the others at some.
func TestInitAtEveryCommand(t *testing.T) {
	for firmware, positions := range map[string]int{"5.7.4": 0, "5.4.3": sampled, "4.3.7": sampled} {
		t.Run(firmware, func(t *testing.T) {
			sweepOf(func(t *testing.T) sweep.Attempt {
				d := newDesk(t, firmware)
				request := d.cardRequest()
				request.ProtectManagementKey = firmware != "5.4.3"
				var ready *enroll.ReadyCard
				return d.attempt(func() (err error) {
					ready, err = d.init(request)
					return err
				}, func() {
					if d.checkReady(ready); request.ProtectManagementKey {
						d.checkProtected(d.card.Snapshot())
					}
				})
			}, positions).Sweep(t)
		})
	}
}

// TestTriesOfACardWithItsOwnPIN are not set: that would make its PIN and PUK the factory ones.
func TestTriesOfACardWithItsOwnPIN(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	d.setReferences("271828", "")
	before := d.card.Snapshot()
	var refused *enroll.TriesError
	if _, err := d.init(d.cardRequest()); !errors.As(err, &refused) || refused.Serial != d.serial {
		t.Errorf("error %v", err)
	}
	if after := d.card.Snapshot(); after.PIN != before.PIN || after.PUK != before.PUK || !after.ManagementKey.Default {
		t.Error("the card was changed")
	}
	request := d.cardRequest()
	request.PINTries, request.PUKTries = 0, 0
	ready, err := d.init(request)
	if err != nil || ready.PINTries != 3 {
		t.Errorf("%+v, %v", ready, err)
	}
}

// TestPreviewOfInit changes nothing, tries nothing, and says what would be done.
func TestPreviewOfInit(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	before := d.everything()
	var acts recorder
	preview, err := enroll.PreviewCard(t.Context(), acts.record(d.deps), d.cardRequest())
	if err != nil || preview.Err() != nil {
		t.Fatal(err, preview.Err())
	}
	outcomes := map[string]enroll.Outcome{}
	for _, step := range preview.Steps {
		outcomes[step.ID] = step.Outcome
	}
	for _, id := range []string{"evidence", "set-tries", "set-pin", "escrow", "set-puk", "set-chuid", "set-management-key"} {
		if outcomes[id] != enroll.OutcomeWould {
			t.Errorf("%s: %q", id, outcomes[id])
		}
	}
	if len(acts.acts) > 0 {
		t.Errorf("%v", acts.acts)
	}
	if after := d.everything(); !reflect.DeepEqual(before, after) {
		t.Error("something was changed")
	}
}

// TestNewPINs: PINs that are easily guessed or too short are refused before the card is touched.
func TestNewPINs(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	for pin, least := range map[string]int{"123456": 0, "777777": 0, "345678": 0, "987654": 0, "abcdef": 0, "271828": 8, "2718281": 8} {
		request := d.cardRequest()
		request.PIN, request.MinPINLength = secret.FromString(pin), least
		var refused *enroll.NewPINError
		if _, err := d.init(request); !errors.As(err, &refused) || !enroll.IsUsage(err) || strings.Contains(err.Error(), pin) {
			t.Errorf("%s: %v", pin, err)
		}
		d.request.PIN, d.request.MinPINLength = request.PIN, least
		if _, err := d.run(); !errors.As(err, &refused) {
			t.Errorf("%s, enrolled: %v", pin, err)
		}
	}
	for _, puk := range []string{"12345678", "00000000", "87654321"} {
		request := d.cardRequest()
		request.PUK = secret.FromString(puk)
		if _, err := d.init(request); !enroll.IsUsage(err) {
			t.Errorf("PUK %s: %v", puk, err)
		}
	}
	if s := d.card.Snapshot(); !s.PIN.Default || !s.PUK.Default || !s.ManagementKey.Default || s.PIN.Tries != 3 {
		t.Error("the card was touched")
	}
}

// TestFIPSCardTakesNoKeyWithoutPIN: what a card of the FIPS series would refuse is said before
// anything is changed.
func TestFIPSCardTakesNoKeyWithoutPIN(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	var err error
	if d.card, err = practice.NewCard(lab.CardSpec{Serial: d.serial, Firmware: "5.7.4", FormFactor: 0x83}); err != nil {
		t.Fatal(err)
	}
	d.insert()
	d.request.Keys[0].PINPolicy = piv.PINNever
	var refused *piv.PolicyError
	if _, err := d.run(); !errors.As(err, &refused) || !strings.Contains(err.Error(), "FIPS") {
		t.Errorf("error %v", err)
	}
	if s := d.card.Snapshot(); !s.PIN.Default || !s.PUK.Default {
		t.Error("the card was changed")
	}
	d.request.Keys[0].PINPolicy = piv.PINDefault
	d.mustRun()
}
