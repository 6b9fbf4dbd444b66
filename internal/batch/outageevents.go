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

// tellOutages tells when nobody gets through, why, and when somebody does again, until
// the context or the work ends.
func (e *engine) tellOutages(ctx context.Context) {
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
			o, out := e.options.Limiter.inOutage()
			kind := Kind("")
			switch {
			case out && o.Paused:
				kind = KindPaused
			case out:
				kind = KindStalled
			case told != "":
				kind = KindResumed
			}
			if kind == "" || kind == told && now.Sub(last) < retellAfter {
				continue
			}
			e.notify(ctx, e.outageEvent(ctx, kind, o))
			if told, last = kind, now; kind == KindResumed {
				told = ""
			}
		}
	}
}

func (e *engine) outageEvent(ctx context.Context, kind Kind, o Outage) Event {
	event := Event{Kind: kind}
	if kind == KindResumed {
		return event
	}
	event.Outage, event.Message = &o, "no call is answered"
	if o.Cause != nil {
		var failure ledger.Task
		e.options.describe(&failure, o.Cause)
		event.Reason, event.Message, event.Hint = failure.Reason, aboutNobody(o.Cause), failure.Hint
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
