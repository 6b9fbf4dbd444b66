package tui

import (
	"context"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// idleScreens are those on which no enrollment runs.
var idleScreens = []string{"start", "user", "gmail", "card", "plan", "certificate", "done", "failure"}

// busyScreens are those on which one does.
var busyScreens = []string{"work", "pin", "choice", "agreement", "review"}

func TestCtrlCEndsAtOnceWhereNothingRuns(t *testing.T) {
	screens := everyScreen(t)
	for _, name := range idleScreens {
		if w := screens[name]().press("ctrl+c"); !w.quit {
			t.Errorf("%s: ctrl+c did not end the wizard:\n%s", name, w.view())
		}
	}
}

func TestCtrlCAsksOnceWhileSomethingRuns(t *testing.T) {
	screens := everyScreen(t)
	for _, name := range busyScreens {
		t.Run(name, func(t *testing.T) {
			w := screens[name]()
			before := w.view()
			stopped := stopWatch(w)
			w.press("ctrl+c").shows("An enrollment is running.")
			w.press("a", "p", "q", " ", "up", "f1").shows("An enrollment is running.") // none of these is an answer
			if w.quit || stopped() {
				t.Fatal("it ended without a second word")
			}
			if w.press("enter"); w.view() != before {
				t.Errorf("another view after going on:\n%s", w.view())
			}
			w.press("ctrl+c", "ctrl+c").shows("Stopping")
			if w.quit || !stopped() {
				t.Fatal("the enrollment was not stopped, or not waited for")
			}
			if w.finish(nil, context.Canceled); !w.quit || !errors.Is(w.model.result(), context.Canceled) {
				t.Errorf("quit %v with %v", w.quit, w.model.result())
			}
		})
	}
}

func TestEscStopsAndGoesBackToThePlan(t *testing.T) {
	screens := everyScreen(t)
	for _, name := range busyScreens {
		t.Run(name, func(t *testing.T) {
			w := screens[name]()
			stopped := stopWatch(w)
			w.press("esc").shows("An enrollment is running.").press("esc").shows("Stopping")
			if !stopped() {
				t.Fatal("the enrollment was not stopped")
			}
			w.press("enter", "a", "?").shows("Stopping")
			w.finish(nil, &enroll.StepError{Err: context.Canceled}).on(screenPlan)
			if w.quit {
				t.Error("it quit")
			}
			w.press("enter").on(screenWork) // and can be begun again
			// Whatever the stopping came to.
			w.press("esc", "esc").finish(nil, errNoRoom).on(screenPlan)
		})
	}
}

// stopWatch tells whether the running enrollment was stopped.
func stopWatch(w *wizard) func() bool {
	stopped := false
	cancel := w.model.session.cancel
	w.model.session.cancel = func() { stopped = true; cancel() }
	return func() bool { return stopped }
}

func TestQuitWhileStoppingQuitsOnceItHasStopped(t *testing.T) {
	w := everyScreen(t)["work"]()
	w.press("esc", "esc").shows("Stopping").press("ctrl+c")
	if w.quit {
		t.Fatal("it did not wait for the card")
	}
	if w.finish(nil, context.Canceled); !w.quit {
		t.Error("it did not quit")
	}
}

func TestEnrollmentThatEndsWhileAskedIsNotLost(t *testing.T) {
	w := everyScreen(t)["work"]()
	w.press("ctrl+c").finish(receiptOf(ada, adasCard), nil).on(screenDone).shows("is enrolled").hides("An enrollment is running")
	// One that was done before it could be stopped is done.
	w = everyScreen(t)["work"]()
	w.press("ctrl+c", "ctrl+c").finish(receiptOf(ada, adasCard), nil)
	if err := w.model.result(); !w.quit || err != nil || len(w.model.session.Receipts) != 1 {
		t.Errorf("quit %v with %v and %d receipts", w.quit, err, len(w.model.session.Receipts))
	}
	w = everyScreen(t)["work"]()
	w.press("esc", "esc").finish(receiptOf(ada, adasCard), nil).on(screenDone)
}

func TestQuestionWhileLeaving(t *testing.T) {
	w := everyScreen(t)["work"]()
	w.press("ctrl+c")
	reply := w.askSecret(pinQuestion(3))
	w.shows("An enrollment is running.").press("enter").on(screenPIN).typed(canaryPIN).press("enter")
	if got, given := answered(reply); !given || got.err != nil {
		t.Error("the question that came in between was lost")
	}
	w.press("esc", "esc")
	late := w.askSecret(pinQuestion(3))
	if got, given := answered(late); !given || !errors.Is(got.err, context.Canceled) {
		t.Error("a question of an enrollment that is being stopped waits for ever")
	}
}

func TestDeclinedEnrollmentGoesBackToThePlan(t *testing.T) {
	w := everyScreen(t)["work"]()
	w.finish(nil, &enroll.StepError{Err: enroll.ErrDeclined}).on(screenPlan)
	w.press("esc", "esc", "esc").on(screenStart).shows("! declined, not finished").hides("failed:")
}

// A no, or what failed, is not forgotten by turning away from it.
func TestWhatIsLeftUndoneIsToldAtTheEnd(t *testing.T) {
	wait := &issuer.WaitingError{Request: "the CA"}
	for name, test := range map[string]struct {
		happens func(w *wizard)
		want    error
	}{
		"declined":         {func(w *wizard) { w.finish(nil, enroll.ErrDeclined).on(screenPlan) }, enroll.ErrDeclined},
		"failed, plan":     {func(w *wizard) { w.fail("import", errNoRoom).press("esc").on(screenPlan) }, errNoRoom},
		"failed, stopped":  {func(w *wizard) { w.fail("import", errNoRoom).press("a", "esc", "esc").finish(nil, context.Canceled) }, errNoRoom},
		"waited, stopped":  {func(w *wizard) { w.waitFor(wait).press("esc", "enter", "esc", "esc").finish(nil, context.Canceled) }, wait},
		"failed, then not": {func(w *wizard) { w.fail("import", errNoRoom).press("a").finish(receiptOf(ada, adasCard), nil) }, nil},
	} {
		for _, single := range []string{"", ada} {
			w := newWizard(t, newFakeDesk(), single).press("enter")
			if single == "" {
				w.typed(ada)
			}
			w.press("enter", "enter").on(screenCard).insert(adasCard).press("enter", "enter").on(screenWork)
			test.happens(w)
			if err := w.press("ctrl+c").model.result(); !w.quit || !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("%s, single %q: quit %v with %v, want %v", name, single, w.quit, err, test.want)
			}
		}
	}
	// Stopped and nothing else: somebody alone is not enrolled, a desk owes nothing.
	w := newWizard(t, newFakeDesk(), ada).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter", "esc", "esc").finish(nil, context.Canceled)
	if err := w.press("ctrl+c").model.result(); !errors.Is(err, context.Canceled) {
		t.Errorf("one who was stopped came to %v", err)
	}
	w = newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).press("esc", "esc").finish(nil, context.Canceled)
	if err := w.press("ctrl+c").model.result(); err != nil {
		t.Errorf("a desk where somebody was stopped came to %v", err)
	}
}

func TestResultOfOnePerson(t *testing.T) {
	if err := newWizard(t, newFakeDesk(), ada).press("ctrl+c").model.result(); !errors.Is(err, context.Canceled) {
		t.Errorf("nothing was done, and it came to %v", err)
	}
	w := newWizard(t, newFakeDesk(), ada).press("enter", "enter", "enter").insert(adasCard).press("enter", "enter")
	w.fail("import", errNoRoom).press("p")
	if err := w.model.result(); !w.quit || !errors.Is(err, errNoRoom) {
		t.Errorf("a failed enrollment came to %v", err)
	}
	// At a desk with many, what failed and was parked is not forgotten.
	w = everyScreen(t)["failure"]()
	w.press("p", "ctrl+c")
	if err := w.model.result(); !w.quit || err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a desk came to %v", err)
	}
	w = everyScreen(t)["failure"]()
	if err := w.press("ctrl+c").model.result(); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a desk that was left in sight of a failure came to %v", err)
	}
}
