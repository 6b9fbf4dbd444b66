package ledger

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// maxGroup bounds how many changes share a commit.
const maxGroup = 256

// recorder lets changes of a file share commits: each waits for the disk, and
// those that come in meanwhile go together with the next.
type recorder struct {
	ledger  *Ledger
	changes chan change
	done    sync.WaitGroup

	mu      sync.RWMutex
	stopped bool
}

type change struct {
	doing  string
	do     func(*sql.Tx) error
	result chan error
}

func newRecorder(l *Ledger) *recorder {
	r := &recorder{ledger: l, changes: make(chan change, maxGroup)}
	r.done.Go(r.run)
	return r
}

func (r *recorder) stop() {
	r.mu.Lock()
	if !r.stopped {
		r.stopped = true
		close(r.changes)
	}
	r.mu.Unlock()
	r.done.Wait()
}

var errClosed = errors.New("the ledger was closed")

// submit returns when the change is on the disk.
func (r *recorder) submit(doing string, do func(*sql.Tx) error) error {
	c := change{doing: doing, do: do, result: make(chan error, 1)}
	r.mu.RLock()
	if r.stopped {
		r.mu.RUnlock()
		return errClosed
	}
	r.changes <- c
	r.mu.RUnlock()
	return <-c.result
}

func (r *recorder) run() {
	for first := range r.changes {
		group := []change{first}
	collect:
		for len(group) < maxGroup {
			select {
			case next, ok := <-r.changes:
				if !ok {
					break collect
				}
				group = append(group, next)
			default:
				break collect
			}
		}
		r.commit(group)
	}
}

// commit carries out a group in one transaction. A change that was overtaken
// leaves nothing behind and does not disturb the others.
func (r *recorder) commit(group []change) {
	overtaken := make([]bool, len(group))
	err := r.ledger.change(context.Background(), group[0].doing, func(tx *sql.Tx) error {
		for i, c := range group {
			// A change that can be overtaken begins with finding out, see touch.
			if err := c.do(tx); errors.Is(err, ErrChanged) {
				overtaken[i] = true
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	for i, c := range group {
		if overtaken[i] && err == nil {
			c.result <- ErrChanged
		} else {
			c.result <- err
		}
	}
}

// record makes one change durable.
func (l *Ledger) record(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	if l.recorder != nil {
		return l.recorder.submit(doing, do)
	}
	err := l.change(ctx, doing, do)
	if errors.Is(err, ErrChanged) {
		return ErrChanged
	}
	return err
}
