package tui

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// TestMain makes dates look the same everywhere.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// wizard folds messages through a model without a program: commands run one
// after the other, and their messages are taken in order. Time does not pass, so
// what waits for it gives up; a test sends what would have come then. What the
// enrollments report by themselves is dropped: a test plays them with event, ask
// and finish.
type wizard struct {
	t     *testing.T
	model *Model
	fake  *fakeDesk
	quit  bool
	// hold keeps commands back until release.
	hold bool
	held []tea.Cmd
	// inbox is where the messages of commands arrive that run beside each other;
	// nil where they run one after the other.
	inbox *inbox
}

// newWizard shows the wizard at a desk; single is the address of a wizard for one
// person.
func newWizard(t *testing.T, fake *fakeDesk, single string) *wizard {
	t.Helper()
	w := &wizard{t: t, fake: fake}
	w.model = newModel(commands{ctx: t.Context(), desk: fake.desk(t), tasks: &tasks{}, send: drop, keep: func(*enroll.Receipt) {}, sleep: noTime}, single)
	w.run(w.model.Init())
	return w
}

// drop drops what an enrollment reports, and has nobody answer what it asks.
func drop(msg tea.Msg) {
	switch msg := msg.(type) {
	case secretAsked:
		msg.reply <- cancelled(msg.reply)
	case choiceAsked:
		msg.reply <- cancelled(msg.reply)
	case agreementAsked:
		msg.reply <- cancelled(msg.reply)
	case reviewAsked:
		msg.reply <- cancelled(msg.reply)
	}
}

// noTime is a clock that stands still.
func noTime(context.Context, time.Duration) error { return errors.New("time does not pass") }

// send has the model take messages and all that comes of them.
func (w *wizard) send(messages ...tea.Msg) *wizard {
	w.t.Helper()
	for _, msg := range messages {
		w.take(msg)
	}
	if w.inbox != nil {
		w.settle()
	}
	return w
}

func (w *wizard) take(msg tea.Msg) {
	w.t.Helper()
	_, cmd := w.model.Update(msg)
	w.run(cmd)
	w.inspect()
}

// run carries out a command.
func (w *wizard) run(cmd tea.Cmd) {
	w.t.Helper()
	if cmd == nil {
		return
	}
	if w.hold {
		w.held = append(w.held, cmd)
		return
	}
	if w.inbox != nil {
		go func() { w.inbox.put(cmd()) }()
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, one := range msg {
			w.run(one)
		}
	case tea.QuitMsg:
		w.quit = true
	default:
		w.send(msg)
	}
}

// release runs what was held back.
func (w *wizard) release() *wizard {
	w.t.Helper()
	held := w.held
	w.hold, w.held = false, nil
	for _, cmd := range held {
		w.run(cmd)
	}
	return w
}

// press presses keys by their names, such as "enter", "ctrl+c" or "a".
func (w *wizard) press(names ...string) *wizard {
	w.t.Helper()
	for _, name := range names {
		w.send(keyNamed(name))
	}
	return w
}

// typed types text, letter by letter.
func (w *wizard) typed(text string) *wizard {
	w.t.Helper()
	for _, letter := range text {
		w.send(tea.KeyPressMsg{Code: letter, Text: string(letter)})
	}
	return w
}

// otp is what a touched YubiKey types.
const otp = "cccccclkjrtnbvvhgcfrbdnnvfjhkeubcinbgjkhcfre"

// touched types a one-time password with its Enter.
func (w *wizard) touched() *wizard {
	w.t.Helper()
	return w.typed(otp).press("enter")
}

func keyNamed(name string) tea.KeyPressMsg {
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1, "backspace": tea.KeyBackspace, "tab": tea.KeyTab,
	}
	if code, ok := named[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// size changes the window.
func (w *wizard) size(columns, lines int) *wizard {
	w.t.Helper()
	return w.send(tea.WindowSizeMsg{Width: columns, Height: lines})
}

// view is what is shown, without colours.
func (w *wizard) view() string { return ansi.Strip(w.model.View().Content) }

// shows fails the test unless all those texts are shown.
func (w *wizard) shows(texts ...string) *wizard {
	w.t.Helper()
	view := w.view()
	for _, text := range texts {
		if !strings.Contains(view, text) {
			w.t.Fatalf("%q is not shown:\n%s", text, view)
		}
	}
	return w
}

// hides fails the test if one of those texts is shown.
func (w *wizard) hides(texts ...string) *wizard {
	w.t.Helper()
	view := w.view()
	for _, text := range texts {
		if strings.Contains(view, text) {
			w.t.Fatalf("%q is shown:\n%s", text, view)
		}
	}
	return w
}

// on fails the test unless that screen is shown.
func (w *wizard) on(want screenID) *wizard {
	w.t.Helper()
	if w.model.at != want {
		w.t.Fatalf("the screen is number %d, not %d:\n%s", w.model.at, want, w.view())
	}
	return w
}

// inspect looks at what holds of every view.
func (w *wizard) inspect() {
	w.t.Helper()
	m := w.model
	content := m.View().Content
	view := ansi.Strip(content)
	lines := strings.Split(view, "\n")
	if m.width >= minWidth && m.height >= minHeight && len(lines) != m.height {
		w.t.Fatalf("the view has %d lines in a window of %d:\n%s", len(lines), m.height, view)
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > m.width {
			w.t.Fatalf("a line is wider than the window's %d columns: %q", m.width, line)
		}
	}
	for _, canary := range canaries {
		if strings.Contains(content, canary) {
			w.t.Fatalf("the secret %s is shown:\n%s", canary, view)
		}
	}
}
