package batch

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

const progressEvery = time.Second

// watch tells the progress until no entry of the run waits.
func (e *engine) watch(s *session, run int64, start ledger.Counts) error {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	left, endedThen := start.Waiting, e.ended.Load()
	for {
		tell := false
		select {
		case <-e.soft.Done():
			return context.Cause(e.soft)
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-e.worked:
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
		left, endedThen = counts.Waiting, ended
		if tell {
			event := Event{Kind: KindProgress, Counts: &counts}
			if outage, ok := e.options.Limiter.inOutage(); ok {
				event.Outage = &outage
			}
			e.notify(event)
		}
		if left == 0 {
			return nil
		}
	}
}
