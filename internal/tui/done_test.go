package tui

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// receiptOf is what an enrollment came to.
func receiptOf(email string, serial uint32) *enroll.Receipt {
	return &enroll.Receipt{
		Email: email, Card: enroll.ReceiptCard{Serial: serial, Firmware: "5.7.4", Model: "YubiKey 5C NFC", PUKFactory: piv.No},
		Keys:     []enroll.ReceiptKey{{Slot: "9d", Algorithm: "rsa2048", Origin: "generated", Attested: true, LeafSHA256: strings.Repeat("4e7c21ec", 8), KeyPairID: "ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8"}},
		Identity: enroll.ReceiptIdentity{Email: email, PrimaryKeyPairID: "ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8"},
		Evidence: "/var/lib/desk/evidence/" + email + "/12345678-20261124T093000Z",
	}
}

func TestDoneViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("record")
	w.finish(receiptOf(ada, adasCard), nil).on(screenDone).golden("done")

	split := receiptOf(ada, adasCard)
	signing := split.Keys[0]
	signing.Slot, signing.KeyPairID, signing.Attested, signing.Origin = "9c", "ANe1BmGw8hX1bA2cD3eF4gH5iJ6kL7mN8oP9qR0sT1uV2wX3yZ4aBcM", false, "imported"
	split.Keys = []enroll.ReceiptKey{signing, split.Keys[0]}
	split.Identity = enroll.ReceiptIdentity{Email: ada, SigningKeyPairID: signing.KeyPairID, EncryptionKeyPairID: split.Keys[1].KeyPairID}
	w = newWizard(t, newFakeDesk(), ada).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter")
	w.finish(split, nil).golden("done-split")
	if w.press("enter"); !w.quit {
		t.Error("the wizard for one person did not end after the receipt")
	}
	if err := w.model.result(); err != nil || len(w.model.session.Receipts) != 1 {
		t.Errorf("it came to %v with %d receipts", err, len(w.model.session.Receipts))
	}
}

func TestNextPersonWithOneKey(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.finish(receiptOf(ada, adasCard), nil).press("enter").on(screenUser).hides("address  "+ada, "▸ "+ada)
	w.typed(grace).press("enter", "enter").on(screenCard)
	w.insert(gracesCard).press("enter", "enter").on(screenWork)
	if got := w.model.session.Run.Request; got.Email != grace || got.Serial != gracesCard {
		t.Errorf("the second request is %+v", got)
	}
}

func TestFailureViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.fail("import", errNoRoom).on(screenFailure).golden("failure")
	w.press("a").finish(nil, &enroll.UsageError{Err: errors.New("a single key must serve both uses")}).golden("failure-before-the-steps")
	w = newWizard(t, newFakeDesk(), ada).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter")
	w.fail("secrets", piv.ErrPINBlocked).golden("failure-single")
	factory := standing(ada, adasCard, enroll.StageBegun)
	factory.FactoryManagementKey = true
	w.press("a").fail("import", errNoRoom).collected(factory).golden("failure-factory")
}

// errNoRoom is something that goes wrong.
var errNoRoom = error(hintedError{piv.ErrCardFull, "delete a certificate that is no longer needed, then try again"})

func TestFailedStepIsTriedAgain(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard).typed("12345678").press("enter")
	w.fail("import", errNoRoom).press("a").on(screenWork)
	if got := w.model.session.Run.Request; !got.Overwrite || got.Confirm != "12345678" {
		t.Errorf("the second request is %+v", got)
	}
	w.fail("import", errNoRoom).press("esc").on(screenPlan).press("esc").on(screenCard).press("esc").on(screenUser)
}

func TestFailedPersonIsParked(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "")
	w.queued(peopleAt(ada, grace)).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter")
	w.fail("import", errNoRoom).press("p").on(screenUser).shows("▸ "+grace, "failed: put the certificate into slot 9d", "1 failed")
	// Once they are tried again, they have not failed any more.
	w.press("up", "enter", "enter").insert().insert(adasCard).press("enter", "enter").on(screenWork).hides("1 failed")
}

func TestReviewViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("review")
	reply := w.askReview(reviewOf(ada))
	w.on(screenReview).golden("review")
	w.press("a", "p", " ").on(screenReview)
	w.press("enter").on(screenWork)
	if got, ok := answered(reply); !ok || !got.value {
		t.Error("the registration was not agreed to")
	}

	split := reviewOf(ada)
	signing := split.Keys[0]
	signing.Slot, signing.Use, signing.Attested, signing.Known = "9c", certificate.UseSign, false, true
	signing.Findings = []smime.Finding{
		{ID: "leaf-serial", Severity: smime.SeverityNote, Message: "the serial number has fewer than 64 bits", Certificate: "leaf"},
		{ID: "intermediate-crl", Severity: smime.SeverityWarning, Message: "intermediate 1 \"Example S/MIME Issuing CA 3\" has no CRL distribution point", Certificate: "intermediate 1"},
	}
	split.Keys[0].Use = certificate.UseEncrypt
	split.Keys[0].Findings = []smime.Finding{{ID: "chain-expired", Severity: smime.SeverityError, Message: "the root expired on 2026-01-01", Certificate: "root"}}
	split.Keys[0].OnCard = strings.Repeat("0badcafe", 8)
	split.Keys = []enroll.ReviewKey{signing, split.Keys[0]}
	refused := w.askReview(split)
	w.golden("review-split")
	w.press("enter").on(screenReview)
	if _, given := answered(refused); given {
		t.Error("what cannot be registered was agreed to")
	}
	w.size(120, 40).shows("NOT the same", "not attested", "Gmail has this key pair already", "error        ✗", "warning      !", "note         the serial")

	known := reviewOf(ada)
	known.Keys[0].Known = true
	known.Keys[0].Chain = []*x509.Certificate{leafFor("ada@example.com\x1b[31m")} // from outside
	w.askReview(known)
	w.golden("review-known")
}

// Nobody agrees to what was not seen.
func TestEnterReadsTheReviewOnBeforeItAgrees(t *testing.T) {
	review := reviewOf(ada)
	signing := review.Keys[0]
	signing.Slot, signing.Use = "9c", certificate.UseSign
	review.Keys = append([]enroll.ReviewKey{signing}, review.Keys...)
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("review")
	reply := w.askReview(review)
	w.shows("↓ more", "enter read on").hides("register at Gmail").press("enter").on(screenReview).shows("enter register at Gmail").hides("↓ more")
	if _, given := answered(reply); given {
		t.Fatal("it was agreed to before it was read")
	}
	w.press("pgup").shows("enter read on").press("enter", "enter").on(screenWork)
	if got, given := answered(reply); !given || !got.value {
		t.Error("it was not agreed to")
	}
	// In a window that shows all of it there is nothing to read on.
	reply = w.askReview(review)
	w.size(120, 40).shows("register at Gmail").press("enter").on(screenWork)
	if _, given := answered(reply); !given {
		t.Error("it was not agreed to")
	}
}

// reviewOf is a clean chain of one key.
func reviewOf(email string) enroll.Review {
	chain := chainFor(email)
	return enroll.Review{Email: email, Serial: adasCard, Keys: []enroll.ReviewKey{{
		Slot: "9d", Use: certificate.UseBoth, Chain: chain, OnCard: certificate.Fingerprint(chain[0]), Upload: certificate.Fingerprint(chain[0]), Attested: true,
	}}}
}
