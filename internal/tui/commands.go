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

// commands makes commands for the wizard: each is one call of the desk. It has
// nothing that changes while the wizard runs.
type commands struct {
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
func (c commands) do(call func(context.Context) tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if what := recover(); what != nil {
				msg = brokenMsg{what, debug.Stack()}
			}
		}()
		c.tasks.run(func() { msg = call(c.ctx) })
		return msg
	}
}

// carryOut makes a command of an effect.
func (c commands) carryOut(ctx context.Context, effect desk.Effect) tea.Cmd {
	return c.do(func(context.Context) tea.Msg { return c.desk.Do(ctx, effect) })
}

// watch tells what is in the readers, for as long as that can be told.
func (c commands) watch() tea.Cmd {
	return c.do(func(ctx context.Context) tea.Msg {
		for found, err := range c.desk.Watch(ctx) {
			c.send(desk.ReadersRead{Found: found, Err: err})
		}
		return desk.WatchEnded{}
	})
}

// enroll runs an enrollment to its end, which ctx may bring about. Its events,
// questions and outcome are sent in the order in which they happen.
func (c commands) enroll(ctx context.Context, begin desk.Begin, talk *prompter) tea.Cmd {
	return c.do(func(whole context.Context) tea.Msg {
		done, err := c.desk.Carry(ctx, begin, desk.FrontEnd{
			Prompter: talk,
			Notify:   func(event enroll.Event) { c.send(desk.StepHappened{Run: begin.Run, Event: event}) },
			Review:   talk.review, Agreed: begin.Agreed,
		})
		if done.Receipt != nil && err == nil {
			c.keep(done.Receipt)
		}
		c.send(desk.RunEnded{Run: begin.Run, Carried: done, Err: err, Entry: c.desk.After(whole, begin.Person, begin.Request.Serial, err)})
		return nil
	})
}

func (c commands) acts() tea.Cmd {
	return c.do(func(context.Context) tea.Msg { return actsMsg{c.desk.Practice.Acts()} })
}

func (c commands) act(id string) tea.Cmd {
	return c.do(func(ctx context.Context) tea.Msg {
		return actedMsg{c.desk.Practice.Do(ctx, id)}
	})
}

func (c commands) beat() tea.Cmd {
	return c.later(beatPause, func() tea.Msg { return beatMsg(time.Now()) })
}

// forgetLater says when a PIN that was typed is forgotten.
func (c commands) forgetLater(run int) tea.Cmd {
	return c.later(desk.PINKept, func() tea.Msg { return forgetMsg{run} })
}

func (c commands) collectLater() tea.Cmd {
	return c.later(collectPause, func() tea.Msg { return desk.CertificatesDue{} })
}

// later makes a command of a pause, which ends with the wizard.
func (c commands) later(pause time.Duration, then func() tea.Msg) tea.Cmd {
	return c.do(func(ctx context.Context) tea.Msg {
		if c.sleep(ctx, pause) != nil {
			return nil
		}
		return then()
	})
}
