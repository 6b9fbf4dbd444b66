package tui

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// waitsForFile is a request that a person has to have signed.
func waitsForFile(slot string) error {
	return &issuer.WaitingError{
		Dir:     "/var/lib/desk/requests/ada@example.com",
		Request: "request-" + slot + "-12345678-4e7c21ecfae69710ff46cfd280b494a4.csr.pem", Expected: "certificate-" + slot + "-12345678-4e7c21ecfae69710ff46cfd280b494a4.pem",
	}
}

// waitFor plays an enrollment that ends waiting for a certificate.
func (w *wizard) waitFor(waits error) *wizard {
	w.t.Helper()
	return w.fail("certificate", waits).on(screenCertificate)
}

// standing is how far somebody is with a card.
func standing(email string, serial uint32, stage enroll.Stage) desk.QueueEntry {
	return desk.QueueEntry{Person: desk.Person{Email: email}, Progress: enroll.Progress{Stage: stage, Serial: serial, When: moment, Keys: newFakeDesk().request.Keys}}
}

func TestCertificateViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.upTo("certificate").golden("certificate-asking")
	w.waitFor(waitsForFile("9d")).golden("certificate-waiting")

	broken := standing(ada, adasCard, enroll.StageWaiting)
	broken.Problem = hintedError{errors.New("the certificate in certificate-9d.pem is for another key"), "put the right one there"}
	w.collected(broken).golden("certificate-problem")
	w.collected(standing(ada, adasCard, enroll.StageReady)).golden("certificate-ready")

	factory := standing(ada, adasCard, enroll.StageWaiting)
	factory.FactoryManagementKey, factory.Waits = true, issuer.Waits(waitsForFile("9d"))
	w.collected(factory).golden("certificate-waiting-factory")

	w = newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.waitFor(&issuer.WaitingError{Request: "https://ca.example.com/.well-known/est/simpleenroll"}).golden("certificate-waiting-est")
	w = newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard).press("down", "right", "enter")
	w.waitFor(errors.Join(waitsForFile("9c"), waitsForFile("9d"))).golden("certificate-waiting-split")

	w = newWizard(t, newFakeDesk(), ada).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter")
	w.waitFor(waitsForFile("9d")).golden("certificate-waiting-single")
}

func TestOnlyWhatIsLeftIsWaitedFor(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard).press("down", "right", "enter")
	w.waitFor(errors.Join(waitsForFile("9c"), waitsForFile("9d"))).shows("request-9c", "request-9d")
	half := standing(ada, adasCard, enroll.StageWaiting)
	half.Waits = issuer.Waits(waitsForFile("9d"))
	w.collected(half).shows("request-9d").hides("request-9c")
}

// What was asked before somebody was served says nothing of them any more.
func TestLateAnswersDoNotUndoWhatWasDone(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).waitFor(waitsForFile("9d"))
	w.hold = true
	w.send(desk.CertificatesDue{}) // asks, and the answer takes its time
	const asked = 1
	w.hold = false
	w.press("enter").finish(receiptOf(ada, adasCard), nil).press("enter").shows("✓ done")
	late := standing(ada, adasCard, enroll.StageWaiting)
	w.send(desk.EntryRead{Number: asked, Entry: late}).send(desk.QueueRead{Number: asked, Entries: []desk.QueueEntry{late}}).shows("✓ done").hides("waiting for")
	// Another card was taken for her than the desk knew of.
	other := late
	other.Person.Serial = gracesCard
	w.collected(other).shows("✓ done")
	w.collected(late).shows("waiting for the certificate")
}

func TestParkedPeopleComeBack(t *testing.T) {
	fake := newFakeDesk()
	fake.people = []desk.Person{{Email: ada}, {Email: grace}, {Email: hedy}}
	w := newWizard(t, fake, "").press("enter").shows("▸ "+ada).press("enter", "enter").insert(adasCard).press("enter", "enter").on(screenWork)
	w.waitFor(waitsForFile("9d")).press("p")
	w.queued([]desk.QueueEntry{standing(ada, adasCard, enroll.StageWaiting), standing(grace, 0, enroll.StageNone), standing(hedy, 0, enroll.StageNone)})
	w.on(screenUser).shows("▸ "+grace, "waiting for the certificate")

	// While Grace is served, Ada's certificate comes.
	w.press("enter", "enter").insert(gracesCard).press("enter", "enter").on(screenWork).upTo("generate")
	w.collected(standing(ada, adasCard, enroll.StageReady)).on(screenWork).shows("1 ready to go on")
	w.finish(receiptOf(grace, gracesCard), nil).on(screenDone)
	w.press("enter").queued([]desk.QueueEntry{standing(ada, adasCard, enroll.StageReady), standing(grace, gracesCard, enroll.StageDone), standing(hedy, 0, enroll.StageNone)})
	w.on(screenUser).shows("▸ "+ada, "certificate is there: go on")

	// She goes on with the card that she began with.
	w.press("enter", "enter").on(screenCard).insert(gracesCard).shows("card 12345678 is meant for this person")
	w.insert(adasCard).press("enter", "enter").on(screenWork)
	w.finish(receiptOf(ada, adasCard), nil).press("enter")
	w.queued([]desk.QueueEntry{standing(ada, adasCard, enroll.StageDone), standing(grace, gracesCard, enroll.StageDone), standing(hedy, 0, enroll.StageNone)})
	w.shows("▸ "+hedy, "2 of 3 done")
}

func TestPersonWhoIsNotOnTheRosterIsParkedToo(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).waitFor(waitsForFile("9d"))
	w.collected(standing(ada, adasCard, enroll.StageWaiting)).press("p").on(screenUser)
	w.shows(ada, "waiting for the certificate").hides("address  " + ada)
}

func TestWaitingWizardForOneEndsWithTheWait(t *testing.T) {
	w := newWizard(t, newFakeDesk(), ada).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter")
	w.waitFor(waitsForFile("9d")).shows("end, go on later").press("p")
	var waiting *issuer.WaitingError
	if err := w.model.result(); !w.quit || !errors.As(err, &waiting) {
		t.Errorf("ended %v with %v", w.quit, err)
	}
}

func TestDeskEndsWithTheWaitOfSomebodyParked(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).waitFor(waitsForFile("9d"))
	w.collected(standing(ada, adasCard, enroll.StageWaiting)).press("p", "ctrl+c")
	var waiting *issuer.WaitingError
	if err := w.model.result(); !w.quit || !errors.As(err, &waiting) {
		t.Errorf("ended %v with %v", w.quit, err)
	}
	w.collected(standing(ada, adasCard, enroll.StageReady))
	if err := w.model.result(); err != nil {
		t.Errorf("nobody waits, and it ended with %v", err)
	}
}

func TestCertificatesAreAskedForInTurn(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "")
	w.queued([]desk.QueueEntry{standing(ada, adasCard, enroll.StageWaiting), standing(grace, gracesCard, enroll.StageNone)})
	for _, want := range []int{1, 0} { // not again while the answer is on its way
		if got := len(w.model.session.Take(desk.CertificatesDue{})); got != want {
			t.Errorf("%d certificates are asked for, not %d", got, want)
		}
	}
	w.collected(standing(ada, adasCard, enroll.StageWaiting))
	if got := len(w.model.session.Take(desk.CertificatesDue{})); got != 1 {
		t.Errorf("%d certificates are asked for after the answer", got)
	}
}
