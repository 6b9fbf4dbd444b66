package tui

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// A PIN of the command line that was wrong is not tried again, whichever way the
// operator goes on: no further try is lost.
func TestWrongPINOfTheCommandLineIsNotTriedAgain(t *testing.T) {
	for name, keys := range map[string][]string{"again": {"a"}, "by the plan": {"esc", "enter"}} {
		fake := newFakeDesk()
		fake.request.PIN = secret.FromString("00000000")
		w := newWizard(t, fake, "").toWork(ada, adasCard)
		if w.model.session.Run.Request.PIN.IsZero() {
			t.Fatal("the PIN of the command line is not tried at all")
		}
		first := w.model.session.Run.ID
		w.fail("set-pin", &piv.WrongPINError{Tries: 2}).on(screenFailure).press(keys...)
		run := w.model.session.Run
		if run.ID == first || !run.Request.PIN.IsZero() {
			t.Errorf("%s: run %d, a PIN: %v", name, run.ID, !run.Request.PIN.IsZero())
		}
	}
}
