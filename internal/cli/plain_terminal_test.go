package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// asksPlainly checks that the program asks line by line, and drew and coloured
// nothing to come there.
func (w *wizard) asksPlainly() {
	w.t.Helper()
	w.see("who is to be enrolled?")
	w.wroteLines()
}

// wroteLines checks that nothing was written but lines of text.
func (w *wizard) wroteLines() {
	w.t.Helper()
	output, err := w.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	if i := bytes.IndexFunc(output, func(r rune) bool { return r > '~' || r < ' ' && r != '\r' && r != '\n' }); i >= 0 {
		w.t.Errorf("%q was written, which is no line of text", output[i:])
	}
}

func TestPlainFlowIsTakenWhereAScreenCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		options terminal.Options
		args    []string
	}{
		"asked for":        {terminal.Options{}, []string{"--plain"}},
		"a dumb terminal":  {terminal.Options{Term: "dumb"}, nil},
		"a screen reader":  {terminal.Options{Env: []string{"CSE_PIV_ACCESSIBLE=1"}}, nil},
		"a narrow window":  {terminal.Options{Width: 40, Height: 10}, []string{"--plain"}},
		"without a colour": {terminal.Options{Env: []string{"NO_COLOR=1"}}, []string{"--plain"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startDemo(t, test.options, demoDir(t), test.args...)
			w.asksPlainly()
			w.enter("stop")
			if code, err := w.Exit(t.Context()); err != nil || code != 0 {
				t.Errorf("exit code %d, %v", code, err)
			}
		})
	}
}

// demoDir is a folder with a short path, for the lab's socket.
func demoDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "plain")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestPlainFlowOnATerminal(t *testing.T) {
	w := startDemo(t, terminal.Options{Width: 100, Height: 50}, demoDir(t), "--plain", "--algorithm", "eccp256")
	w.asksPlainly()
	w.enter("ada")
	w.see("enroll ada@lab.example, Ada Lovelace? yes or no:")
	w.enter("yes")
	w.see("your choice (1 to 4):")
	w.enter("1")
	w.see("a new PIN for card")
	w.enter(canary)
	w.see("once more:")
	w.enter(canary)
	w.see("register that at Gmail? yes or no:")
	w.enter("yes")
	w.see("ada@lab.example  is enrolled", "next in the queue: 2")
	w.wroteLines()
	w.enter("stop")
	if code, err := w.Exit(t.Context()); err != nil || code != 0 {
		t.Errorf("exit code %d, %v", code, err)
	}
}

// An interrupt at any question ends the program at once, and what is typed then
// is shown again.
func TestInterruptGivesTheEchoBack(t *testing.T) {
	for name, answers := range map[string][][2]string{
		"who":      {{"who is to be enrolled?", ""}},
		"the plan": {{"who is to be enrolled?", "ada@lab.example"}, {"your choice (1 to 4):", ""}},
		"the PIN":  {{"who is to be enrolled?", "ada@lab.example"}, {"your choice (1 to 4):", "1"}, {"a new PIN for card", ""}},
		"the PIN again": {
			{"who is to be enrolled?", "ada@lab.example"}, {"your choice (1 to 4):", "1"},
			{"a new PIN for card", canary}, {"once more:", ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startInShell(t, demoDir(t))
			for _, answer := range answers {
				w.see(answer[0])
				if answer[1] != "" {
					w.enter(answer[1])
				}
			}
			w.press("C-c")
			if said := w.see("exit code 130"); !strings.Contains(said, "\ncse-piv: interrupted; run the same command again to go on\n") {
				t.Errorf("it says %s", said)
			}
			w.enter("shown")
			w.see("exit code 130\nshown\nit was shown")
		})
	}
}

// startInShell runs the plain demo in a shell, which says its exit code and then
// takes a line from the terminal as the program left it.
func startInShell(t *testing.T, dir string) *wizard {
	t.Helper()
	program, err := exec.LookPath("cse-piv")
	if err != nil {
		t.Fatal(err)
	}
	script := `"$0" demo --plain --dir "$1"; echo "exit code $?"; read -r line; echo "it was $line"; read -r line`
	session, err := terminal.Start(t.Context(), terminal.Options{
		Width: 100, Height: 50, Command: []string{"sh", "-c", "trap : INT; " + script, program, dir},
		Env: environment(dir),
	})
	if errors.Is(err, terminal.ErrNoTmux) {
		testenv.Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &wizard{Session: session, t: t, dir: dir}
	t.Cleanup(func() {
		if output, err := session.Output(); err != nil || strings.Contains(string(output), canary) {
			t.Errorf("the PIN was shown, or %v", err)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}
