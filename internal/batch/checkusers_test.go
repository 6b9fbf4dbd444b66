package batch_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestUsersAreCheckedWhenRead: who is refused fails for that, and the others are registered;
// where nobody can be looked up, nobody is entered, and the same run again goes on.
func TestUsersAreCheckedWhenRead(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 3)
	book := openLedger(t, ledgerFile(t))
	options := o.options(t, book, people)
	down := errors.New("the directory is down")
	options.CheckUsers = func(context.Context, []string) ([]error, error) { return nil, down }
	if counts, err := batch.Run(t.Context(), options); !errors.Is(err, down) || counts.Total != 0 {
		t.Errorf("%+v, %v", counts, err)
	}
	options.CheckUsers = func(_ context.Context, emails []string) ([]error, error) {
		found := make([]error, len(emails))
		found[1] = &gmail.Error{Method: "users.get", User: emails[1], Kind: gmail.KindSuspended, Message: "the account is suspended"}
		return found, nil
	}
	if counts := mustRun(t, options); counts.Failed != 1 || counts.Done != 2 {
		t.Errorf("%+v", counts)
	}
	entry, found, err := book.Entry(t.Context(), people[1].Email)
	if err != nil || !found || entry.Reason != "suspended" || entry.Class != ledger.ClassAdministrator || entry.State != ledger.StateFailed {
		t.Errorf("%+v, %v", entry, err)
	}
	options.CheckUsers = nil
	if counts := mustRun(t, options); counts.Failed != 0 || counts.Done != 3 {
		t.Errorf("restored: %+v", counts)
	}
}

// TestStopWhileUsersAreChecked: a run that is stopped while users are looked up ends then.
func TestStopWhileUsersAreChecked(t *testing.T) {
	o := newOffice(t)
	options := o.options(t, openLedger(t, ledgerFile(t)), o.people(t, 2))
	stopping := make(chan struct{})
	options.Stopping = stopping
	options.CheckUsers = func(ctx context.Context, _ []string) ([]error, error) {
		close(stopping)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	counts, err := batch.Run(t.Context(), options)
	if !errors.As(err, new(*batch.InterruptedError)) || counts.Total != 0 {
		t.Errorf("%+v, %v", counts, err)
	}
}
