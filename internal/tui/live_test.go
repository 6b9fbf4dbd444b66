package tui

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// inbox holds messages until they are taken.
type inbox struct {
	mu       sync.Mutex
	messages []tea.Msg
}

func (i *inbox) put(msg tea.Msg) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.messages = append(i.messages, msg)
}

func (i *inbox) takeAll() []tea.Msg {
	i.mu.Lock()
	defer i.mu.Unlock()
	messages := i.messages
	i.messages = nil
	return messages
}

// live runs a test with a wizard whose commands and enrollments really run, side
// by side, in time that passes only when everything waits for it.
func live(t *testing.T, test func(t *testing.T, w *wizard, commands *softDesk), people ...desk.Person) {
	synctest.Test(t, func(t *testing.T) {
		commands := newSoftDesk(t, adasCard, gracesCard)
		ctx, stop := context.WithCancel(t.Context())
		running := &tasks{}
		w := &wizard{t: t, inbox: &inbox{}}
		d := commands.desk(t, people...)
		w.model = newModel(worldOf(ctx, d, running, w.inbox.put), "")
		w.run(w.model.Init())
		w.settle()
		test(t, w, commands)
		stop()
		running.wait()
	})
}

func worldOf(ctx context.Context, d *desk.Desk, running *tasks, send func(tea.Msg)) commands {
	return commands{ctx: ctx, desk: d, tasks: running, send: send, keep: func(*enroll.Receipt) {}, sleep: sleep.For}
}

// settle has the model take messages until nothing is under way but what waits
// for time or for a person.
func (w *wizard) settle() {
	w.t.Helper()
	for {
		synctest.Wait()
		messages := w.inbox.takeAll()
		if len(messages) == 0 {
			return
		}
		for _, msg := range messages {
			switch msg := msg.(type) {
			case nil:
			case tea.BatchMsg:
				for _, one := range msg {
					w.run(one)
				}
			case tea.QuitMsg:
				w.quit = true
			default:
				w.take(msg)
			}
		}
	}
}

// pass lets time pass.
func (w *wizard) pass(d time.Duration) *wizard {
	w.t.Helper()
	for ; d > 0; d -= beatPause {
		time.Sleep(min(d, beatPause))
		w.settle()
	}
	return w
}
