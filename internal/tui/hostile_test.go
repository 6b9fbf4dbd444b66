package tui

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// hostile would set the window's title, turn the text around and break the line.
const hostile = "\x1b]0;evil\x07\u202eevil\r\n\u009b2J\x9b2Jevil"

func TestWhatComesFromOutsideCannotSteerTheTerminal(t *testing.T) {
	fake := newFakeDesk()
	fake.checks = []desk.Check{{Name: "issuer", State: desk.CheckFailed, Detail: hostile, Fix: hostile}}
	fake.practice = &fakePractice{err: errors.New(hostile)}
	fake.atGmail[ada] = desk.AtGmail{KeyPairs: []gmail.KeyPair{{ID: hostile, Enabled: true, HardwareDescriptions: []string{hostile}}}}
	card := usedCard(adasCard)
	card.Identity.Model, card.Identity.Reader, card.Advisories = hostile, hostile, []string{hostile}
	leaf := leafFor(hostile)
	leaf.Subject.CommonName = hostile
	card.Status.Slots = []piv.SlotContents{{Slot: piv.SlotAuthentication, Certificate: leaf}, {Slot: piv.SlotSignature, CertificateErr: errors.New(hostile)}}
	fake.cards[adasCard] = card

	w := newWizard(t, fake, "")
	look := func(what string) {
		t.Helper()
		w.shows("evil")
		view := w.model.View()
		for _, steers := range []string{"\x1b]0;", "\x07", "\u202e", "\r", "\u009b"} {
			if text := view.Content + view.WindowTitle; strings.Contains(text, steers) || !utf8.ValidString(text) {
				t.Errorf("%s: %q in %q", what, steers, text)
			}
		}
	}
	look("checks")
	w.press("ctrl+o", "enter")
	look("drawer")
	w.press("esc").queued([]desk.QueueEntry{{Person: desk.Person{Email: ada, Note: hostile}, Progress: enroll.Progress{Stage: enroll.StageNone}, Problem: errors.New(hostile)}})
	look("queue")
	w.press("enter", "enter")
	look("person and Gmail")
	w.fake.gmailErr = hintedError{errors.New(hostile), hostile}
	w.press("esc", "enter")
	look("refusal")
	w.fake.gmailErr = nil
	w.press("a", "enter").on(screenCard).send(desk.ReadersRead{Found: []piv.Found{{Reader: hostile, Err: errors.New(hostile)}}})
	look("reader")
	w.insert(adasCard)
	look("card")
	w.press("enter").on(screenPlan).press("enter").on(screenWork).event("escrow", enroll.StateNote, hostile)
	look("note")
	w.event("prove-possession", enroll.StateTouch, hostile)
	look("touch")
	w.event("import", enroll.StateCardOut, hostile)
	look("card out")
	question := pinQuestion(3)
	question.Text, question.Rule, question.Problem = hostile, hostile, hostile
	w.askSecret(question)
	look("PIN")
	w.askChoice(enroll.Question{Text: hostile, Loss: []string{hostile}}, enroll.Choice{ID: "a", Text: hostile})
	look("choice")
	w.askAgreement(enroll.Question{Text: hostile, Loss: []string{hostile}}, hostile)
	look("agreement")
	review := reviewOf(hostile)
	review.Keys[0].Chain[0] = leaf
	review.Keys[0].Findings = []smime.Finding{{ID: hostile, Severity: smime.SeverityWarning, Message: hostile}}
	w.askReview(review)
	look("review")
	w.waitFor(&issuer.WaitingError{Dir: hostile, Request: hostile, Expected: hostile})
	look("waiting")
	w.press("enter").fail("import", hintedError{errors.New(hostile), hostile})
	look("failure")
	receipt := receiptOf(hostile, adasCard)
	receipt.Card.Model, receipt.Keys[0].KeyPairID, receipt.Identity.PrimaryKeyPairID, receipt.Evidence = hostile, hostile, hostile, hostile
	w.press("a").finish(receipt, nil)
	look("receipt")
}
