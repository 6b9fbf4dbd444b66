package tui

import "sync"

// tasks counts what runs beside the screen, so that the wizard can wait for it.
type tasks struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

// run runs the task on the caller's goroutine, or not at all once wait was
// called.
func (t *tasks) run(task func()) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return
	}
	t.group.Add(1)
	t.mu.Unlock()
	defer t.group.Done()
	task()
}

// wait returns when every task has ended; none begins any more.
func (t *tasks) wait() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.group.Wait()
}
