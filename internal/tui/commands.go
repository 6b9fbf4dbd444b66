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

// carryOut makes a command of an effect.
func (w deps) carryOut(ctx context.Context, effect desk.Effect) tea.Cmd {
	return w.do(func(context.Context) tea.Msg { return w.desk.Do(ctx, effect) })
}

// watch tells what is in the readers, for as long as that can be told.
func (w deps) watch() tea.Cmd {
	return w.do(func(ctx context.Context) tea.Msg {
		for found, err := range w.desk.Watch(ctx) {
			w.send(desk.ReadersRead{Found: found, Err: err})
		}
		return desk.WatchEnded{}
	})
}

// enroll runs an enrollment to its end, which ctx may bring about. Its events,
// questions and outcome are sent in the order in which they happen.
func (w deps) enroll(ctx context.Context, begin desk.Begin, talk *prompter) tea.Cmd {
	return w.do(func(whole context.Context) tea.Msg {
		receipt, err := w.desk.Enroll(ctx, begin.Request, desk.FrontEnd{
			Prompter: talk,
			Notify:   func(event enroll.Event) { w.send(desk.StepHappened{Run: begin.Run, Event: event}) },
			Review:   talk.review,
		})
		if err == nil {
			w.keep(receipt)
		}
		w.send(desk.RunEnded{Run: begin.Run, Receipt: receipt, Err: err, Entry: w.desk.After(whole, begin.Person, begin.Request.Serial, err)})
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
	return w.later(collectPause, func() tea.Msg { return desk.CertificatesDue{} })
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
