package batch

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// checkUsers refuses the entries of those who cannot be registered, whatever their
// certificates are.
func (e *engine) checkUsers(ctx context.Context, entries []ledger.Entry) error {
	var asked []*ledger.Entry
	var emails []string
	for i, entry := range entries {
		if entry.State != ledger.StateFailed {
			asked, emails = append(asked, &entries[i]), append(emails, entry.Email)
		}
	}
	if e.options.CheckUsers == nil || len(asked) == 0 {
		return nil
	}
	// All users of an organisation take their time to be listed: stopping ends that.
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.soft, cancel)()
	refused, err := e.options.CheckUsers(asking, emails)
	switch {
	case err != nil && e.soft.Err() != nil:
		return context.Cause(e.soft)
	case err != nil:
		return fmt.Errorf("look users up: %w", err)
	}
	for i, entry := range asked {
		if refused[i] != nil {
			entry.State = ledger.StateFailed
			entry.Class, entry.Reason, entry.Message, entry.Hint = e.options.failure(refused[i])
		}
	}
	return nil
}
