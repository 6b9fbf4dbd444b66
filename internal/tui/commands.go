package tui

import (
	"context"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

const (
	beatPause    = 120 * time.Millisecond
	collectPause = 2 * time.Second
)

// world runs commands for the wizard: each is one call of the desk. It holds
// nothing that changes while the wizard runs.
type deps struct {
	ctx   context.Context
	desk  *desk.Desk
	tasks *tasks
	send  func(tea.Msg)
	// keep takes in each receipt, also of an enrollment that outlasts the screen.
	keep  func(*enroll.Receipt)
	sleep func(context.Context, time.Duration) error
}

// do makes a command of a call, which is waited for before the wizard ends. A
// panic becomes a message: bubbletea would write of it under the screen.
func (w deps) do(call func(context.Context) tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if what := recover(); what != nil {
				msg = brokenMsg{what, debug.Stack()}
			}
		}()
		w.tasks.run(func() { msg = call(w.ctx) })
		return msg
	}
}

func (w deps) check() tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg { return checkedMsg{w.desk.Checks(ctx)} })
}

// watch tells what is in the readers, for as long as that can be told.
func (w deps) watch() tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		for found, err := range w.desk.Watch(ctx) {
			w.send(foundMsg{found: found, err: err})
		}
		return unwatchedMsg{}
	})
}

func (w deps) queue(number int) tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		entries, err := w.desk.Queue(ctx)
		if err != nil {
			return nil // the wizard is ending
		}
		return queueMsg{request: number, entries: entries}
	})
}

func (w deps) collect(number int, person desk.Person) tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		return collectedMsg{request: number, entry: w.desk.Collect(ctx, person)}
	})
}

func (w deps) atGmail(email string) tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		found, err := w.desk.AtGmail(ctx, email)
		return atGmailMsg{email: email, atGmail: found, err: err}
	})
}

func (w deps) status(number int, serial uint32) tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		status, err := w.desk.Status(ctx, serial)
		return statusMsg{request: number, status: status, err: err}
	})
}

func (w deps) preview(ctx context.Context, number int, request enroll.Request) tea.Cmd {
	return w.do(func(context.Context) tea.Msg {
		preview, err := w.desk.Preview(ctx, request)
		return previewMsg{request: number, preview: preview, err: err}
	})
}

// enroll runs an enrollment to its end, which ctx may bring about. Its events,
// questions and outcome are sent in the order in which they happen.
func (w deps) enroll(ctx context.Context, person desk.Person, request enroll.Request, talk *conversation) tea.Cmd {
	return w.do(func(whole context.Context) tea.Msg {
		receipt, err := w.desk.Enroll(ctx, request, desk.FrontEnd{
			Prompter: talk,
			Notify:   func(event enroll.Event) { w.send(eventMsg{run: talk.run, event: event}) },
			Review:   talk.review,
		})
		if err == nil {
			w.keep(receipt)
		}
		w.send(finishedMsg{run: talk.run, receipt: receipt, err: err, entry: w.desk.After(whole, person, request.Serial, err)})
		return nil
	})
}

func (w deps) acts() tea.Cmd {
	return w.do(func(context.Context) tea.Msg { return actsMsg{w.desk.Practice.Acts()} })
}

func (w deps) act(id string) tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		return actedMsg{w.desk.Practice.Do(ctx, id)}
	})
}

func (w deps) beat() tea.Cmd {
	return w.later(beatPause, func() tea.Msg { return beatMsg(time.Now()) })
}

// forgetLater says when a PIN that was typed is forgotten.
func (w deps) forgetLater(run int) tea.Cmd {
	return w.later(desk.PINKept, func() tea.Msg { return forgetMsg{run} })
}

func (w deps) collectLater() tea.Cmd {
	return w.later(collectPause, func() tea.Msg { return collectMsg{} })
}

// later makes a command of a pause, which ends with the wizard.
func (w deps) later(pause time.Duration, then func() tea.Msg) tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		if w.sleep(ctx, pause) != nil {
			return nil
		}
		return then()
	})
}

// sleep waits, or returns the error of a context that ends before.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
