package ledger

import (
	"context"
	"sync/atomic"
	"time"
)

// clock is one time for all who work with a ledger. A database's clock is read and
// goes on by this process's monotonic one until it is read again. A file, which one
// process holds, has the machine's time at its opening, going on in the same way:
// whatever is done to the machine's clock, no turn comes too early or too late.
type clock struct{ read atomic.Pointer[reading] }

// reading is what time it was at a moment of the monotonic clock.
type reading struct{ time, at time.Time }

func (c *clock) set(t, at time.Time) { c.read.Store(&reading{t, at}) }

func (c *clock) now() time.Time {
	r := c.read.Load()
	return r.time.Add(time.Since(r.at))
}

// Now is the time by the ledger's clock: the database's, or of a file this process's
// own, which no change of the machine's clock disturbs.
func (l *Ledger) Now() time.Time { return l.clock.now() }

// Skew is how far the clock of this machine was ahead of the database's when that was
// read last; negative: behind; 0 for a file. It is as exact as the way there is short.
func (l *Ledger) Skew() time.Duration {
	if !l.Shared() {
		return 0
	}
	r := l.clock.read.Load()
	return r.at.Sub(r.time)
}

// setClock reads the database's clock.
func (l *Ledger) setClock(ctx context.Context) error {
	asked := time.Now()
	var milliseconds int64
	if err := l.pool.QueryRow(ctx, `SELECT `+databaseNow).Scan(&milliseconds); err != nil {
		return l.failed("read the database's clock", err)
	}
	l.answered(milliseconds, asked)
	return nil
}

// answered takes in what the database's clock was between then and now.
func (l *Ledger) answered(milliseconds int64, asked time.Time) {
	l.clock.set(time.UnixMilli(milliseconds), asked.Add(time.Since(asked)/2))
}
