package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestLogStaysOffTheWizard: what would be written into the wizard's screen is refused, also
// where a variable asks for it; a file takes it, and line by line it is the person's choice.
func TestLogStaysOffTheWizard(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7})
	for _, test := range []struct {
		args []string
		env  string
	}{
		{args: []string{"enroll", "--log", "stderr"}}, {args: []string{"enroll"}, env: "CSE_PIV_LOG=stderr"}, {args: []string{"demo", "--log=stderr", "--log-level=debug"}},
	} {
		w := startProgram(t, terminal.Options{Width: 120, Env: append(d.env, test.env)}, d.dir, test.args...)
		w.see("error: --log stderr would write into the wizard's screen", "hint: log into a file or the journal, --log FILE or --log journal")
		if code, err := w.Exit(t.Context()); err != nil || code != 2 {
			t.Errorf("%v: exit code %d, %v", test.args, code, err)
		}
	}
	file := filepath.Join(d.dir, "log")
	w := startProgram(t, terminal.Options{Width: 100, Height: 45, Env: d.env}, d.dir, "enroll", "--log", file, "--log-level", "debug")
	if screen := w.at("Start"); strings.Contains(screen, `{"time"`) {
		t.Errorf("the log is on the screen:\n%s", screen)
	}
	w.press("C-c")
	w.exits(0)
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"msg":"ended"`) {
		t.Errorf("%v: %s", err, text)
	}
	plain := startProgram(t, terminal.Options{Width: 120, Env: d.env}, d.dir, "enroll", "ada@lab.example", "--plain", "--log", "stderr")
	plain.see(`"msg":"begun"`)
	plain.press("C-c")
}
