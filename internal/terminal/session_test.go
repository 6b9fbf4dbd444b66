package terminal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/terminal"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// start runs a shell script on a terminal, which is closed with the test.
func start(t *testing.T, options terminal.Options, script string) *terminal.Session {
	t.Helper()
	options.Command = []string{"sh", "-c", script, "subject"}
	options.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}, options.Env...)
	session, err := terminal.Start(t.Context(), options)
	if errors.Is(err, terminal.ErrNoTmux) {
		testenv.Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return session
}

func see(t *testing.T, session *terminal.Session, texts ...string) string {
	t.Helper()
	screen, err := session.WaitFor(t.Context(), texts...)
	if err != nil {
		t.Fatal(err)
	}
	return screen
}

func exits(t *testing.T, session *terminal.Session, want int) {
	t.Helper()
	if got, err := session.Exit(t.Context()); err != nil || got != want {
		t.Fatalf("exit code %d (%v), want %d", got, err, want)
	}
}

func TestWhatIsTypedReachesTheProgram(t *testing.T) {
	session := start(t, terminal.Options{}, `printf 'name? '; read name; printf 'hello <%s>\n' "$name"; read _; exit 7`)
	see(t, session, "name?")
	const name = `Ada; "O'Brien" $HOME \ -x;`
	if err := session.Type(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	press(t, session, "Enter")
	// read takes the backslash for its own; everything else is as it was typed.
	see(t, session, `hello <Ada; "O'Brien" $HOME  -x;>`)
	press(t, session, "Enter")
	exits(t, session, 7)
}

func press(t *testing.T, session *terminal.Session, keys ...string) {
	t.Helper()
	if err := session.Keys(t.Context(), keys...); err != nil {
		t.Fatal(err)
	}
}

// TestKeys: each key arrives as the bytes that a terminal sends for it.
func TestKeys(t *testing.T) {
	session := start(t, terminal.Options{}, `stty raw -echo; printf 'ready\r\n'; dd bs=1 count=12 2>/dev/null | od -An -tx1`)
	see(t, session, "ready")
	press(t, session, "Up", "C-a", "Escape", "Tab", "q", ";", "F1", "-")
	see(t, session, "1b 5b 41 01 1b 09 71 3b 1b 4f 50 2d")
}

func TestAKeyThatIsNoneIsNotTyped(t *testing.T) {
	session := start(t, terminal.Options{}, `echo ready; read line`)
	see(t, session, "ready")
	for _, name := range []string{"Return", "enter", "C-", "ab", ""} {
		if err := session.Keys(t.Context(), name); err == nil || !strings.Contains(err.Error(), "no name of a key") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if screen, err := session.Screen(t.Context()); err != nil || strings.TrimSpace(screen) != "ready" {
		t.Errorf("%v; the screen:\n%s", err, screen)
	}
}

func TestResize(t *testing.T) {
	session := start(t, terminal.Options{Width: 100, Height: 30}, `trap 'stty size' WINCH; stty size; while :; do read line; done`)
	see(t, session, "30 100")
	if err := session.Resize(t.Context(), 60, 10); err != nil {
		t.Fatal(err)
	}
	see(t, session, "10 60")
	grid, err := session.Cells(t.Context())
	if err != nil || grid.Width != 60 || grid.Height != 10 || len(grid.Cells) != 10 || len(grid.Cells[0]) != 60 {
		t.Errorf("%v; %d×%d with %d lines", err, grid.Width, grid.Height, len(grid.Cells))
	}
}

func TestTheProgramsTerminal(t *testing.T) {
	dir := t.TempDir()
	session := start(t, terminal.Options{Dir: dir, Term: "screen", Env: []string{"GREETING=good day"}},
		`printf '\033]0;a title\007'; stty size; echo "$TERM, $GREETING, $(pwd -P | grep -c "$(basename "`+dir+`")")"; read line`)
	see(t, session, "24 80", "screen, good day, 1")
	if title, err := session.Title(t.Context()); err != nil || title != "a title" {
		t.Errorf("the title is %q (%v)", title, err)
	}
}

// TestBackground: a program that asks for the background is told which it is.
func TestBackground(t *testing.T) {
	const ask = `stty raw -echo; printf '\033]11;?\007'; dd bs=1 count=24 2>/dev/null | tr '\033\007\\' '...'; read line`
	see(t, start(t, terminal.Options{}, ask), "rgb:1616/1919/1f1f")
	see(t, start(t, terminal.Options{Light: true}, ask), "rgb:ffff/ffff/ffff")
}

func TestSeenKeepsEveryScreen(t *testing.T) {
	session := start(t, terminal.Options{}, `echo one; read line; clear; echo two; read line`)
	see(t, session, "one")
	press(t, session, "Enter")
	see(t, session, "two")
	seen := session.Seen()
	for _, text := range []string{"one", "two"} {
		if !slices.ContainsFunc(seen, func(screen string) bool { return strings.HasPrefix(screen, text+"\n") }) {
			t.Errorf("no screen shows %q: %q", text, seen)
		}
	}
	output, err := session.Output()
	if err != nil || !strings.Contains(string(output), "one\r\n") {
		t.Errorf("output %q (%v)", output, err)
	}
}

// TestBrokenLines: a text that is longer than the terminal's line is found all the same.
func TestBrokenLines(t *testing.T) {
	const text = "interrupted; run the same command again to go on"
	for width := 10; width <= 50; width += 8 {
		session := start(t, terminal.Options{Width: width}, `echo "program: `+text+`"; read line`)
		see(t, session, text)
	}
	if terminal.Shows("one\ntwo", "one two three") || terminal.Shows("one\ntwo", "two\none") || !terminal.Shows("one\ntwo", "one\ntwo") || terminal.Shows("o\nne\ntwo", "one\ntwo") ||
		terminal.Shows("enter     go on", "enter go on") || terminal.Shows("onetwo", "one two") || terminal.Shows("one two", "onetwo") || !terminal.Shows("one \n  tw\no", "one two") {
		t.Error("what is not there is found, or what is there is not")
	}
}

func TestWaitsEnd(t *testing.T) {
	session := start(t, terminal.Options{Timeout: 200 * time.Millisecond}, `echo here; read line`)
	var wait *terminal.WaitError
	_, err := session.WaitFor(t.Context(), "elsewhere")
	if !errors.As(err, &wait) || !strings.Contains(err.Error(), "not within 200ms") || !strings.Contains(wait.Want, "elsewhere") {
		t.Errorf("what never comes: %v", err)
	}
	if _, err := session.Exit(t.Context()); !errors.As(err, &wait) {
		t.Errorf("the end that does not come: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := session.WaitFor(ended, "here"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

func TestAWaitEndsWithTheProgram(t *testing.T) {
	session := start(t, terminal.Options{}, `echo here; read line; exit 3`)
	see(t, session, "here")
	press(t, session, "Enter")
	exits(t, session, 3)
	var wait *terminal.WaitError
	if _, err := session.WaitFor(t.Context(), "elsewhere"); !errors.As(err, &wait) || !strings.Contains(err.Error(), "ended with exit code 3") || !strings.HasPrefix(wait.Screen, "here\n") {
		t.Errorf("after the program's end: %v", err)
	}
}

func TestASignalIsNoExitCode(t *testing.T) {
	session := start(t, terminal.Options{}, `kill -KILL $$`)
	if code, err := session.Exit(t.Context()); err == nil || !strings.Contains(err.Error(), "signal") {
		t.Errorf("exit code %d, %v", code, err)
	}
}

// TestClose: the program ends with its terminal.
func TestClose(t *testing.T) {
	hungUp := filepath.Join(t.TempDir(), "hung-up")
	session := start(t, terminal.Options{}, `trap 'echo yes > "`+hungUp+`"; exit' HUP; echo ready; while :; do sleep 0.1; done`)
	see(t, session, "ready")
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(hungUp); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the program was not told that its terminal is gone")
		}
	}
	if _, err := session.Screen(t.Context()); err == nil {
		t.Error("a closed terminal has a screen")
	}
}

func TestWithoutAProgramOrTmux(t *testing.T) {
	if _, err := terminal.Start(t.Context(), terminal.Options{}); err == nil {
		t.Error("no program runs")
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := terminal.Start(t.Context(), terminal.Options{Command: []string{"true"}}); !errors.Is(err, terminal.ErrNoTmux) {
		t.Errorf("without tmux: %v", err)
	}
}
