package batch

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// Pick says whom of a source a run is about; the zero value: everybody.
type Pick struct {
	// Only tells, by the address, who is meant; nil: everybody.
	Only func(email string) bool
	// Retry takes only users who failed in the last run that had them: RetryFailed for
	// any reason, or a reason's name; "": everybody.
	Retry string
	// Limit is how many users who are not registered with their certificates yet are
	// taken at most, and who is registered is left out; 0: everybody.
	Limit int
}

// RetryFailed stands for every reason.
const RetryFailed = "failed"

// errEnough: as many users were taken as are wanted.
var errEnough = errors.New("enough users")

// picker is a Pick at work.
type picker struct {
	Pick
	known *ledger.Ledger // what earlier runs did; nil for nothing
	taken int
}

// wants tells by a row's address whether it is to be prepared at all.
func (p *picker) wants(email string) bool { return p.Only == nil || p.Only(email) }

// pick leaves out, of prepared entries, those that are not wanted. The error is
// errEnough when no more are.
func (p *picker) pick(ctx context.Context, entries []ledger.Entry) ([]ledger.Entry, error) {
	if p.Retry == "" && p.Limit == 0 {
		return entries, nil
	}
	known, byHand := map[int]ledger.Entry{}, map[string]ledger.Action{}
	if p.known != nil {
		var err error
		if known, err = p.known.Known(ctx, entries); err != nil {
			return nil, err
		}
		if byHand, err = p.known.ChangedByHand(ctx, entries); err != nil {
			return nil, err
		}
	}
	var picked []ledger.Entry
	for i, entry := range entries {
		before, is := known[i]
		failed := is && before.State == ledger.StateFailed
		if p.Retry != "" && !(failed && (p.Retry == RetryFailed || p.Retry == before.Reason)) {
			continue
		}
		if p.Limit > 0 {
			_, changed := byHand[ledger.Key(entry.Email)]
			if is && !changed && before.State == ledger.StateDone && ledger.SamePairs(before.Pairs, entry.Pairs) {
				continue
			}
			if p.taken == p.Limit {
				return picked, errEnough
			}
			if entry.State != ledger.StateFailed { // by its row, so that nothing is done for it
				p.taken++
			}
		}
		picked = append(picked, entry)
	}
	return picked, nil
}
