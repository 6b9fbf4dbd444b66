package tui

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// withUsedCard is a desk where Ada's card holds keys.
func withUsedCard() *fakeDesk {
	fake := newFakeDesk()
	fake.cards[adasCard] = usedCard(adasCard)
	return fake
}

func TestPlanViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard)
	w.golden("plan-generate")
	w.press("down", "right").golden("plan-split")
	w.press("up", "right", "enter").golden("plan-existing-empty")
	w = newWizard(t, newFakeDesk(), "").toCard(ada).insert(adasCard)
	w.hold = true
	w.press("enter").golden("plan-looking")

	// A run that was broken off has made the key.
	plan := w.model.screens[screenPlan].(*planScreen)
	goesOn := desk.PlanRead{Number: 1, Preview: &enroll.Preview{
		Request: w.model.session.Request, Slots: []enroll.SlotPreview{{Slot: piv.SlotKeyManagement, Action: enroll.ActionContinue}},
		Steps: plan.planned(w.model.session),
	}}
	w.send(goesOn).golden("plan-goes-on")

	// A renewal was broken off, or waits: there is nothing to choose.
	goesOn.Preview.Renewal = &evidence.Renewal{Kind: string(enroll.RenewNewKey), Keys: map[string]evidence.OldKey{"9d": {MovedTo: "82"}}}
	w.send(goesOn).golden("plan-renewal-goes-on")
	w.press("right")
	if !w.model.session.Plan.Settled() || w.model.session.PlannedRequest().Renew != "" {
		t.Errorf("%+v", w.model.session.PlannedRequest())
	}

	fake := withUsedCard()
	w = newWizard(t, fake, "").toPlan(ada, adasCard)
	w.golden("plan-loss")
	w.press("enter").golden("plan-loss-not-typed")
	w.typed("1234567").press("enter").golden("plan-loss-mistyped")
	w.typed("8").golden("plan-loss-typed")
	w.press("right").golden("plan-existing")

	fake.cardErr = hintedError{piv.ErrReset, "push the card in firmly"}
	w.press("a").golden("plan-unreadable")
}

func TestLossNeedsTheSerialTyped(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard)
	w.press("enter").on(screenPlan)
	w.typed("87654321").press("enter").on(screenPlan)
	for range 8 {
		w.press("backspace")
	}
	w.typed("12a3x4-5678").press("enter").on(screenWork) // letters are no digits
	if got := w.model.session.Run.Request; !got.Overwrite || got.Confirm != "12345678" {
		t.Errorf("the request is %+v", got)
	}
}

func TestAgreementToALossIsForOnce(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard).typed("12345678").press("enter").on(screenWork)
	w.fail("check-user", errNoRoom).press("esc").on(screenPlan).shows("LOST FOR EVER").hides("number  12345678")
	w.press("enter").on(screenPlan)
}

func TestNothingIsOverwrittenUnasked(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	if got := w.model.session.Run.Request; got.Overwrite || got.Confirm != "" {
		t.Errorf("the request is %+v", got)
	}
}

func TestChoicesMakeTheRequest(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard)
	w.press("down", "right")          // split
	w.press("down", "right")          // RSA 3072, for the slot is given
	w.press("down", "right", "right") // PIN every time
	w.press("down", "left")           // touch once in 15 seconds
	w.press("enter").on(screenWork)
	key := enroll.KeyRequest{Source: enroll.SourceGenerate, Algorithm: piv.RSA3072, PINPolicy: piv.PINAlways, TouchPolicy: piv.TouchCached}
	signing, encryption := key, key
	signing.Slot, signing.Use = piv.SlotSignature, certificate.UseSign
	encryption.Slot, encryption.Use = piv.SlotKeyManagement, certificate.UseEncrypt
	got := w.model.session.Run.Request.Keys
	if len(got) != 2 || got[0] != signing || got[1] != encryption {
		t.Errorf("the keys are %+v", got)
	}
}

func TestOldCardOffersOnlyWhatItCan(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard)
	w.shows("RSA 2048").press("down", "down", "down")
	for range 3 {
		w.press("right").hides("RSA 3072", "RSA 4096")
	}
}

func TestLatePreviewIsIgnored(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard)
	w.hold = true
	w.press("down", "right")
	w.send(desk.PlanRead{Number: 1, Err: errors.New("late")}).hides("late")
	w.press("enter").on(screenPlan) // not before the card was looked at
}

func TestPlanIsKeptOverTheCardScreen(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard)
	w.press("down", "down", "down", "right").shows("EC P-256") // of a card that makes no larger RSA keys
	w.typed("123456")
	w.press("esc").on(screenCard).press("enter").on(screenPlan).shows("EC P-256", "serial number  123456")
	w.typed("78").press("enter").on(screenWork)
}

func TestTypedSerialIsForgottenWithItsLoss(t *testing.T) {
	fake := withUsedCard()
	w := newWizard(t, fake, "").toPlan(ada, adasCard).typed("12345678")
	w.press("down", "right").shows("9c already holds").hides("number  12345678") // split loses more
	w.typed("12345678")
	fake.cards[adasCard] = newCard(adasCard)
	w.press("esc").insert().insert(adasCard).press("enter").hides("LOST")
	fake.cards[adasCard] = usedCard(adasCard)
	w.press("esc").insert().insert(adasCard).press("enter").shows("LOST").hides("number  12345678")
}

func TestCardPulledWhileThePlanIsShown(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard)
	w.insert().golden("plan-card-out")
	w.press("enter").on(screenPlan)
	w.insert(gracesCard).shows("card 12345678 is out").press("enter").on(screenPlan)
	// It is looked at anew: it may hold something else now.
	w.fake.cards[adasCard] = usedCard(adasCard)
	w.insert(adasCard).shows("LOST FOR EVER").hides("is out")
}

func TestBrokenOffEnrollmentKeepsItsPlan(t *testing.T) {
	split := enroll.LayoutSplit.Keys(newFakeDesk().request.Keys[0])
	w := newWizard(t, newFakeDesk(), "")
	w.queued([]desk.QueueEntry{{Person: desk.Person{Email: ada}, Progress: enroll.Progress{Stage: enroll.StageBegun, Serial: adasCard, Keys: split}}})
	w.press("enter", "enter", "enter").on(screenCard).insert().shows("Put card 12345678 in.")
	w.insert(adasCard).press("enter").shows("split: 9C signs, 9D decrypts")
}

// TestWhatChangesInThePlanIsSeen: a plan that was scrolled comes back to its
// questions.
func TestWhatChangesInThePlanIsSeen(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard)
	w.press("pgdown").hides("asks for touch").press("down").shows("asks for touch", "one key signs and decrypts")
	w.press("pgdown").hides("split: 9C").press("right").shows("split: 9C")
}

// enrolled is a desk where Ada is enrolled with the key in slot 9D of her card.
func enrolled(t *testing.T) (fake *fakeDesk, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	key = hex.EncodeToString(sum[:])
	fake = newFakeDesk()
	fake.request.Defaulted = enroll.Options() // the command line says nothing
	card := usedCard(adasCard)
	card.Status.Slots = []piv.SlotContents{{Slot: piv.SlotKeyManagement, Key: &piv.KeyInfo{
		Algorithm: piv.ECCP256, Origin: piv.Generated, PINPolicy: piv.PINOnce, TouchPolicy: piv.TouchNever, PublicKey: &private.PublicKey,
	}}}
	fake.cards[adasCard], fake.evidence = card, t.TempDir()
	folder, err := evidence.Begin(fake.evidence, ada, adasCard, moment)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		folder.WriteJournal(evidence.Journal{
			Version: 1, Email: ada, Serial: adasCard, Started: moment,
			Plan: []evidence.PlannedKey{{Slot: "9d", Use: "both", Source: "generate", Algorithm: "eccp256", PINPolicy: "default", TouchPolicy: "default"}},
			Keys: map[string]evidence.KeyJournal{"9d": {Generating: moment, Generated: key}},
		}),
		folder.Write(evidence.ReceiptName, []byte("{}")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return fake, key
}

// TestWhoIsEnrolledKeepsTheirKey: what was chosen then is preselected, another
// choice does not begin, and a new key takes the place of the enrolled one only
// once the serial number is typed.
func TestWhoIsEnrolledKeepsTheirKey(t *testing.T) {
	fake, key := enrolled(t)
	w := newWizard(t, fake, "").toPlan(ada, adasCard)
	w.shows("EC P-256", "goes on with it").hides("LOST")
	w.press("down", "down", "down", "right").shows("EC P-384", "eccp256, and eccp384").press("enter").on(screenPlan).shows("a new key in place")
	w.press("up", "up", "up", "right", "right").shows("generate a new one in place of the enrolled one", "LOST FOR EVER")
	w.press("enter").on(screenPlan)
	w.typed("12345678").press("enter").on(screenWork)
	if got := w.model.session.Run.Request; !slices.Equal(got.Replace, []string{key}) || got.Confirm != "12345678" || got.Keys[0].Algorithm != piv.ECCP384 {
		t.Errorf("the request is %+v", got)
	}

	// The same wish of the command line is preselected.
	fake, key = enrolled(t)
	fake.request.Replace = []string{key}
	newWizard(t, fake, "").toPlan(ada, adasCard).shows("generate a new one in place of the enrolled one", "LOST FOR EVER")
}

// The usual keys edit the serial number.
func TestKeysThatEditTheSerialNumber(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard)
	w.typed("999").press("ctrl+u").typed("2345678").press("home").typed("1").press("ctrl+e", "backspace").typed("8")
	w.press("enter").on(screenWork)
	w = newWizard(t, withUsedCard(), "").toPlan(ada, adasCard)
	w.typed("99").press("ctrl+w").typed("912345678").press("ctrl+a", "delete", "enter").on(screenWork)
}
