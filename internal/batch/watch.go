package batch

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

const (
	progressEvery = time.Second
	// stallTime is after how long without anybody coming to an end the queue is
	// filled from the entries again, in case jobs got lost.
	stallTime = time.Minute
)

// watch tells the progress until no entry of the run waits.
func (e *engine) watch(s *session, filler queue, run int64, start ledger.Counts) error {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	left, endedThen := start.Waiting, e.ended.Load()
	lastEnd := time.Now()
	for {
		tell := false
		select {
		case <-e.soft.Done():
			return context.Cause(e.soft)
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-e.worked:
			lastEnd = time.Now()
			if left-int(e.ended.Load()-endedThen) > 0 {
				continue // not the end: a look every second will do
			}
		case <-ticker.C:
			tell = true
		}
		ended := e.ended.Load()
		counts, err := e.options.Ledger.Counts(s.ctx, run)
		if err != nil {
			return s.ledgerError(err)
		}
		if counts.Waiting != left {
			lastEnd = time.Now()
		}
		left, endedThen = counts.Waiting, ended
		if tell {
			e.notify(Event{Kind: KindProgress, Counts: &counts})
		}
		if left == 0 {
			return nil
		}
		if time.Since(lastEnd) > stallTime {
			lastEnd = time.Now()
			if err := e.fill(s.ctx, filler, run); err != nil {
				return s.ledgerError(err)
			}
		}
	}
}
