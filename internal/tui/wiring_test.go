package tui

import (
	"context"
	"errors"
	"io"
	"iter"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/teatest/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// probe is the wizard in a running program, with its latest view to look at.
type probe struct {
	model *Model
	mu    sync.Mutex
	shown string
}

func (p *probe) Init() tea.Cmd { return p.model.Init() }

func (p *probe) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := p.model.Update(msg)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = ansi.Strip(p.model.View().Content)
	return p, cmd
}

func (p *probe) View() tea.View { return p.model.View() }

// await returns when the text is shown.
func (p *probe) await(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(p.shown, text)
	}, func() string { return text + " is not shown:\n" + p.shown })
}

// eventually returns when something is so, and fails the test when it does not
// come to be for very long.
func eventually(t *testing.T, so func() bool, otherwise func() string) {
	t.Helper()
	for range 60_000 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(otherwise())
}

func TestProgramRunsAnEnrollment(t *testing.T) {
	commands := newSoftDesk(t, adasCard)
	commands.slow, commands.cards[adasCard].slow = 0, 0
	ctx, stop := context.WithCancel(t.Context())
	d := commands.desk(t)
	var program *teatest.TestModel
	running := &tasks{}
	wizard := &probe{model: newModel(worldOf(ctx, d, running, func(msg tea.Msg) { program.Send(msg) }), "")}
	program = teatest.NewTestModel(t, wizard, teatest.WithInitialTermSize(80, 24))

	wizard.await(t, "✓ credentials")
	enter := tea.KeyPressMsg{Code: tea.KeyEnter}
	program.Send(enter)
	wizard.await(t, "Who is to be enrolled?")
	program.Type(ada)
	program.Send(enter)
	wizard.await(t, "has no key pair")
	program.Send(enter)
	program.Send(desk.ReadersRead{Found: commands.found(adasCard)})
	wizard.await(t, "serial 12345678")
	program.Send(enter)
	wizard.await(t, "enter begin")
	program.Send(enter)
	wizard.await(t, "a new PIN for card 12345678")
	program.Type(canaryPIN)
	program.Send(enter)
	program.Type(canaryPIN)
	program.Send(enter)
	wizard.await(t, "To be registered for "+ada)
	program.Send(enter)
	wizard.await(t, "is enrolled")
	program.Type("q")

	final := program.FinalModel(t, teatest.WithFinalTimeout(time.Minute)).(*probe).model
	golden(t, "whole", "80x24", settled(final.View().Content))
	if len(final.session.Receipts) != 1 {
		t.Errorf("%d receipts", len(final.session.Receipts))
	}
	stop()
	running.wait()
	awaitGoroutines(t)
}

// settled is a view without what differs from run to run, and without empty
// lines.
func settled(content string) string {
	view := regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(ansi.Strip(content), strings.Repeat("f", 64))
	view = regexp.MustCompile(`(?s)evidence .* note `).ReplaceAllString(view, "evidence (a folder)\n note ")
	return regexp.MustCompile(`( *\n)+`).ReplaceAllString(view, "\n") + "\n"
}

// awaitGoroutines returns when nothing of the wizard runs any more, but for bubbletea's reader of
// a key that came while the program ended: it waits for ever, without a context, for somebody to take
// the key (ultraviolet's sendEvents).
func awaitGoroutines(t *testing.T) {
	t.Helper()
	var left []string
	eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = slices.DeleteFunc(strings.Split(string(stacks), "\n\n"), func(stack string) bool {
			ours := strings.Contains(stack, "internal/tui.") || strings.Contains(stack, "bubbletea")
			undelivered := strings.Contains(stack, "[chan send") && strings.Contains(stack, "ultraviolet.(*TerminalReader).sendEvents")
			return !ours || undelivered || strings.Contains(stack, "testing.tRunner") || strings.Contains(stack, "tui.TestMain")
		})
		return len(left) == 0
	}, func() string { return "still running:\n" + strings.Join(left, "\n\n") })
}

// desktop runs the wizard through Run, with a pipe for its keyboard.
type desktop struct {
	t        *testing.T
	keyboard *io.PipeWriter
	ended    chan error
	receipts []*enroll.Receipt
	// asked is closed when the enrollment asks Gmail, which answers only when it is
	// stopped.
	asked chan struct{}
	// watching counts who watches the readers.
	watching atomic.Int32
}

func runDesktop(ctx context.Context, t *testing.T, email string) *desktop {
	t.Helper()
	commands := newSoftDesk(t, adasCard)
	d := commands.desk(t)
	top := &desktop{t: t, ended: make(chan error, 1), asked: make(chan struct{})}
	d.Watch = func(ctx context.Context) iter.Seq2[[]piv.Found, error] {
		return func(yield func([]piv.Found, error) bool) {
			top.watching.Add(1)
			defer top.watching.Add(-1)
			yield(commands.found(adasCard), nil)
			<-ctx.Done()
		}
	}
	d.Dependencies.Account = func(ctx context.Context, _ string) (registration.Account, error) {
		close(top.asked)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	in, keyboard := io.Pipe()
	top.keyboard = keyboard
	go func() {
		talk, err := Run(ctx, d, Options{Email: email, In: in, Out: io.Discard})
		top.receipts = talk.Receipts
		in.Close()
		top.ended <- err
	}()
	return top
}

// toWork presses enter until the enrollment runs: from the start over the
// person, the card and the plan nothing else is needed.
func (d *desktop) toWork() *desktop {
	d.t.Helper()
	eventually(d.t, func() bool {
		select {
		case <-d.asked:
			return true
		default:
			d.keys("\r")
			return false
		}
	}, func() string { return "the enrollment does not begin" })
	return d
}

func (d *desktop) keys(text string) {
	d.t.Helper()
	if _, err := io.WriteString(d.keyboard, text); err != nil {
		d.t.Error(err)
	}
}

// end waits for Run and returns its error. Whatever it began has ended then.
func (d *desktop) end() error {
	d.t.Helper()
	var err error
	eventually(d.t, func() bool {
		select {
		case err = <-d.ended:
			return true
		default:
			return false
		}
	}, func() string { return "it does not end" })
	if d.watching.Load() != 0 {
		d.t.Error("the readers are still watched")
	}
	return err
}

func TestRunEndsByItsKeys(t *testing.T) {
	top := runDesktop(t.Context(), t, "")
	top.keys("\x03")
	if err := top.end(); err != nil {
		t.Errorf("a desk with many came to %v", err)
	}
	top = runDesktop(t.Context(), t, ada)
	top.keys("q")
	if err := top.end(); err != context.Canceled {
		t.Errorf("a wizard for one, who was not enrolled, came to %v", err)
	}
	top = runDesktop(t.Context(), t, ada).toWork()
	top.keys("\x03\x03")
	if err := top.end(); err != context.Canceled || len(top.receipts) != 0 {
		t.Errorf("an enrollment that was stopped came to %v and %d receipts", err, len(top.receipts))
	}
	awaitGoroutines(t)
}

// A mistake of the wizard's own is an error, wherever it is.
func TestRunTellsThatItBrokeDown(t *testing.T) {
	for name, plant := range map[string]func(d *desk.Desk){
		"a command": func(d *desk.Desk) { d.Checks = func(context.Context) []desk.Check { panic("planted") } },
		"the readers": func(d *desk.Desk) {
			d.Watch = func(context.Context) iter.Seq2[[]piv.Found, error] { panic("planted") }
		},
		"Update": func(d *desk.Desk) {
			d.AtGmail = func(context.Context, string) (desk.AtGmail, error) { return desk.AtGmail{}, errNoRoom }
			d.Hint = func(error) string { panic("planted") }
		},
	} {
		in, keyboard := io.Pipe()
		d := newFakeDesk().desk(t)
		plant(d)
		if name == "Update" {
			go io.WriteString(keyboard, "\r\r") // to the person, and to what Gmail has
		}
		var out strings.Builder
		_, err := Run(t.Context(), d, Options{Email: ada, In: in, Out: &out})
		in.Close()
		if !errors.Is(err, ErrBroken) {
			t.Errorf("%s: it came to %v", name, err)
		}
		// Below the screen that was given back; bubbletea tells of Update on standard error.
		if _, told, _ := strings.Cut(out.String(), "\x1b[?1049l"); name != "Update" && !strings.Contains(told, "planted\n\ngoroutine") {
			t.Errorf("%s: it was not told: %q", name, told)
		}
	}
	awaitGoroutines(t)
}

// ledgerFunc takes registrations in.
type ledgerFunc func(context.Context, ledger.Entry, []ledger.CardCertificate) error

func (f ledgerFunc) Enter(ctx context.Context, entry ledger.Entry, cards []ledger.CardCertificate) error {
	return f(ctx, entry, cards)
}

func (ledgerFunc) Has(context.Context, ledger.Entry, []ledger.CardCertificate) (bool, error) {
	return true, nil
}

// agreedAccount tells when the review was agreed to.
type agreedAccount struct {
	softAccount
	agreed chan struct{}
}

func (a agreedAccount) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, request gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	close(a.agreed)
	return a.softAccount.CreateKeyPair(ctx, known, request)
}

// An enrollment that becomes done while the wizard has to end is not lost.
func TestRunReturnsReceiptsThatComeAtTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	commands := newSoftDesk(t, adasCard)
	commands.slow, commands.cards[adasCard].slow, commands.cards[adasCard].pin = 100*time.Millisecond, 0, canaryPIN
	d := commands.desk(t)
	d.Request.PIN = secret.FromString(canaryPIN)
	agreed := make(chan struct{})
	d.Dependencies.Account = func(_ context.Context, email string) (registration.Account, error) {
		return agreedAccount{softAccount{commands, email}, agreed}, nil
	}
	d.Watch = func(ctx context.Context) iter.Seq2[[]piv.Found, error] {
		return func(yield func([]piv.Found, error) bool) { yield(commands.found(adasCard), nil) }
	}
	d.Dependencies.Ledger = ledgerFunc(func(context.Context, ledger.Entry, []ledger.CardCertificate) error {
		cancel()
		time.Sleep(200 * time.Millisecond) // the screen is gone by then
		return nil
	})
	in, keyboard := io.Pipe()
	go func() {
		for {
			select {
			case <-agreed:
				return
			case <-time.After(10 * time.Millisecond):
				_, _ = io.WriteString(keyboard, "\r")
			}
		}
	}()
	talk, err := Run(ctx, d, Options{Email: ada, In: in, Out: io.Discard})
	receipts := talk.Receipts
	in.Close()
	if !errors.Is(err, context.Canceled) || len(receipts) != 1 || receipts[0].Email != ada {
		t.Errorf("it came to %v and %d receipts", err, len(receipts))
	}
	awaitGoroutines(t)
}

func TestRunEndsWithItsContext(t *testing.T) {
	for _, busy := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		top := runDesktop(ctx, t, ada)
		if busy {
			top.toWork()
		}
		cancel()
		if err := top.end(); err != context.Canceled {
			t.Errorf("busy %v: it came to %v", busy, err)
		}
	}
	awaitGoroutines(t)
}
