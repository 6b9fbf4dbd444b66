package wine

import (
	"errors"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestWizard: the wizard's first screen in a console of Windows, and the way out of it.
func TestWizard(t *testing.T) {
	d := newDesk(t, lab.Options{})
	session := d.console("enroll", "--escrow-plain")
	// Wine's console breaks lines before the window ends, and what is drawn over them later
	// leaves little whole of a long list. What each check finds, "doctor" tells in TestCards.
	screen, err := session.WaitFor(t.Context(), "Press enter to enroll the first person")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the start screen:\n%s", screen)
	if err := session.Type(t.Context(), "q"); err != nil {
		t.Fatal(err)
	}
	if code, err := session.Exit(t.Context()); err != nil || code != 0 {
		t.Errorf("ended with %d, %v", code, err)
	}
}

// TestInterrupt: Ctrl+C at a question ends the program at once, and says how to go on.
func TestInterrupt(t *testing.T) {
	d := newDesk(t, lab.Options{})
	session := d.console("enroll", "ada@lab.example", "--plain", "--escrow-plain")
	if _, err := session.WaitFor(t.Context(), "your choice"); err != nil {
		t.Fatal(err)
	}
	if err := session.Keys(t.Context(), "C-c"); err != nil {
		t.Fatal(err)
	}
	if _, err := session.WaitFor(t.Context(), "interrupted; run the same command again to go on"); err != nil {
		t.Fatal(err)
	}
	// On a busy machine Wine kills a program that is ending, for the sake of the read.
	if code, err := session.Exit(t.Context()); err == nil && code != 130 || err != nil && !strings.HasSuffix(err.Error(), "ended with signal 9") {
		t.Errorf("ended with %d, %v", code, err)
	}
}

// console runs the program in a console of Windows.
func (d *desk) console(arguments ...string) *terminal.Session {
	d.t.Helper()
	command := d.command(arguments...)
	session, err := terminal.Start(d.t.Context(), terminal.Options{Command: command.Args, Env: command.Env, Dir: command.Dir, Width: 80, Height: 25, Timeout: callLimit})
	if errors.Is(err, terminal.ErrNoTmux) {
		testenv.Missing(d.t, "Windows: %v", err)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := session.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return session
}
