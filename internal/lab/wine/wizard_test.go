package wine

import (
	"errors"
	"os"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestWizard: the wizard's first screen in a console of Windows, and the way out of it.
func TestWizard(t *testing.T) {
	d := newDesk(t, lab.Options{})
	command := d.command("enroll", "--escrow-plain")
	session, err := terminal.Start(t.Context(), terminal.Options{Command: command.Args, Env: command.Env, Dir: command.Dir, Width: 80, Height: 25, Timeout: callLimit})
	if errors.Is(err, terminal.ErrNoTmux) && os.Getenv("CI") != "true" {
		t.Skipf("NOT TESTED ON WINDOWS: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}()
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
