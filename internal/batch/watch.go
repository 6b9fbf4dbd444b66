package batch

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

const progressEvery = time.Second

// watch tells the progress until no entry of the run waits. counts are those from before
// work began.
func (e *engine) watch(s *session, run int64, counts ledger.Counts) error {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	var endedThen int64
	for {
		tell := false
		select {
		case <-e.soft.Done():
			return context.Cause(e.soft)
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-e.worked:
			if counts.Waiting-int(e.ended.Load()-endedThen) > 0 {
				continue // not the end: a look every second will do
			}
		case <-ticker.C:
			tell = true
		}
		if ended := e.ended.Load(); ended != endedThen || e.options.Ledger.Shared() {
			var err error
			if counts, err = e.options.Ledger.Counts(s.ctx, run); err != nil {
				return s.ledgerError(err)
			}
			endedThen = ended
		}
		if tell {
			now := counts
			event := Event{Kind: KindProgress, Counts: &now}
			if outage, ok := e.options.Limiter.inOutage(); ok {
				event.Outage = &outage
			}
			e.notify(s.ctx, event)
		}
		if counts.Waiting == 0 {
			return nil
		}
	}
}
