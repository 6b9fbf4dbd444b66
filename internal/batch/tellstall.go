package batch

import (
	"context"
	"errors"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// retellAfter is how often it is told again that nobody gets through.
const retellAfter = time.Minute

// tellStalls tells when nobody gets through, why, and when somebody does again, until
// the context or the work ends.
func (e *engine) tellStalls(ctx context.Context) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	var told Kind
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.soft.Done():
			return
		case now := <-ticker.C:
			s, stalled := e.options.Limiter.stalled()
			kind := Kind("")
			switch {
			case stalled && s.Paused:
				kind = KindPaused
			case stalled:
				kind = KindStalled
			case told != "":
				kind = KindResumed
			}
			if kind == "" || kind == told && now.Sub(last) < retellAfter {
				continue
			}
			e.notify(e.stallEvent(ctx, kind, s))
			if told, last = kind, now; kind == KindResumed {
				told = ""
			}
		}
	}
}

func (e *engine) stallEvent(ctx context.Context, kind Kind, s Stall) Event {
	event := Event{Kind: kind}
	if kind == KindResumed {
		return event
	}
	event.Stall, event.Message = &s, "no call is answered"
	if s.Cause != nil {
		var failure ledger.Task
		describe(&failure, s.Cause)
		event.Reason, event.Message, event.Hint = failure.Reason, aboutNobody(s.Cause), failure.Hint
	}
	if counts, err := e.options.Ledger.Counts(ctx, e.run); err == nil && e.run != 0 {
		event.Counts = &counts
	}
	return event
}

// aboutNobody is the text of an error that one user met, and others would as well.
func aboutNobody(err error) string {
	var answered *gmail.Error
	if errors.As(err, &answered) {
		general := *answered
		general.User = ""
		return general.Error()
	}
	return err.Error()
}
