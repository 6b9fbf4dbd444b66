package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	plain := startProgram(t, terminal.Options{Width: 120, Height: 100, Env: d.env}, d.dir, "enroll", "ada@lab.example", "--plain", "--log", "stderr")
	plain.see(`"msg":"begun"`)
	plain.press("C-c")
}

// TestLogBesideABar: where the log goes to the terminal, no bar is drawn over its lines.
func TestLogBesideABar(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7})
	people := "email\n"
	for i := range 40 {
		people += fmt.Sprintf("user%d@lab.example\n", i)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "people.csv"), []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	w := startProgram(t, terminal.Options{Width: 400, Env: append(d.env, "CSE_PIV_STORE=")}, d.dir, "reconcile", filepath.Join(d.dir, "people.csv"), "--log", "stderr", "--log-level", "debug")
	code, ended := w.Exit(t.Context())
	output, err := w.Output()
	if ended != nil || code != 3 {
		t.Errorf("exit code %d, %v:\n%s", code, ended, output)
	}
	if err != nil || !strings.Contains(string(output), `"msg":"ended"`) {
		t.Errorf("%v:\n%s", err, output)
	}
	if drawn := regexp.MustCompile(`\r[^\r\n]`).FindIndex(output); drawn != nil {
		t.Errorf("a line was drawn again:\n%s", output)
	}
}
