package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// A program that is stopped gives the terminal back to the shell, and shows nothing
// of a PIN that is typed when it was continued.
func TestSuspendedWhileAPINIsTyped(t *testing.T) {
	for name, test := range map[string]struct {
		flag  string
		toPIN func(w *wizard)
		asks  string
	}{
		"wizard": {"--dir", func(w *wizard) { w.toUser(); w.toPIN("ada@lab.example") }, "Type a new PIN"},
		"line by line": {"--plain --dir", func(w *wizard) {
			for _, answer := range [][2]string{{"who is to be enrolled?", "ada@lab.example"}, {"your choice (1 to 4):", "1"}} {
				w.see(answer[0])
				w.enter(answer[1])
			}
		}, "a new PIN for card"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startUnderJobControl(t, test.flag)
			test.toPIN(w)
			w.see(test.asks)
			for _, signal := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGSTOP} {
				if err := syscall.Kill(w.process(), signal); err != nil {
					t.Fatal(err)
				}
				w.see("Stopped")
				w.enter("clear; stty -a | tr ' ;' '\\n\\n' | grep -x -e '-*echo'; echo end$((0))")
				if screen := w.see("end0"); signal == syscall.SIGTSTP && !strings.HasPrefix(screen, "echo\n") {
					t.Errorf("what is typed in the shell is not shown:\n%s", screen)
				}
				w.enter("clear; fg")
				w.see(test.asks)
			}
			w.enter(canary)
			w.see("once more")
			w.enter(canary)
			w.see("egister")
		})
	}
}

// startUnderJobControl runs the demo in an interactive shell.
func startUnderJobControl(t *testing.T, flags string) *wizard {
	t.Helper()
	program, err := exec.LookPath("cse-piv")
	if err != nil {
		t.Fatal(err)
	}
	shell := testenv.Program(t, "bash")
	dir := demoDir(t)
	session, err := terminal.Start(t.Context(), terminal.Options{
		Command: []string{shell, "--norc", "--noprofile", "-i"},
		Env:     append(environment(dir), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "PS1=$ "),
	})
	if errors.Is(err, terminal.ErrNoTmux) {
		testenv.Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &wizard{Session: session, t: t, dir: dir}
	t.Cleanup(func() {
		w.keptSecret()
		if pid := w.process(); pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	w.see("$")
	w.enter(fmt.Sprintf("cse-piv demo --algorithm eccp256 %s %s", flags, dir))
	return w
}

// process returns the process that runs the demo in the test's folder; 0 for none.
func (w *wizard) process() int {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range found {
		line, _ := os.ReadFile(path)
		if strings.HasPrefix(string(line), "cse-piv\x00demo\x00") && strings.HasSuffix(string(line), "\x00"+w.dir+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	return 0
}
