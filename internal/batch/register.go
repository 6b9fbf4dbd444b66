package batch

import (
	"context"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// registerSafely is register for a program that has mistakes: one that shows with
// one user is that user's failure, and is told.
func (s *session) registerSafely(ctx context.Context, task *ledger.Task) (unchanged bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = newInternalError(fault)
		}
	}()
	return s.register(ctx, task)
}

// register makes one user's key pairs and identity what the task asks for. Each
// answer is recorded before the next call. unchanged reports that nothing had to be
// done for an entry that an earlier run brought to its end.
func (s *session) register(ctx context.Context, task *ledger.Task) (unchanged bool, err error) {
	account, err := s.engine.options.Domain.User(ctx, task.Email)
	if err != nil {
		return false, err
	}
	var keys []registration.Key
	for _, pair := range task.Pairs {
		key := registration.Key{Use: pair.Use, LeafSHA256: pair.LeafSHA256, PKCS7: pair.PKCS7, Description: pair.Description}
		if pair.Created {
			key.Validated = pair.KeyPairID
		}
		keys = append(keys, key)
	}
	changing, renamed := false, false
	outcome, err := registration.Register(ctx, account, task.Email, keys, registration.Hooks{
		Change: func(ctx context.Context) error {
			changing = false
			err := s.mayAct(ctx, *task)
			changing = err == nil
			return err
		},
		KeyPair: func(ctx context.Context, index int, got gmail.KeyPair, created bool) error {
			changing = false
			pair := &task.Pairs[index]
			if pair.KeyPairID == got.ID {
				return nil
			}
			// One that is there was made by this program only if the ledger says so.
			pair.KeyPairID, pair.Created, renamed = got.ID, created, true
			return s.ledgerError(s.engine.options.Ledger.RecordKeyPair(ctx, *task, *pair))
		},
	})
	if err != nil {
		if changing {
			err = cutOff(ctx, err)
		}
		return false, err
	}
	unchanged = task.Earlier && outcome.Unchanged() && !renamed
	return unchanged, s.recordFindings(ctx, task, outcome, unchanged)
}

// recordFindings tells and records what a person should know about a user who is
// registered.
func (s *session) recordFindings(ctx context.Context, task *ledger.Task, outcome registration.Outcome, unchanged bool) error {
	findings := outcome.Findings()
	changed := false
	if task.Earlier && !unchanged {
		repair := putRight(outcome) + " (registration-repaired)" // by which the summary counts
		findings = append(findings, repair)
		task.Warnings, changed = append(slices.Clone(task.Warnings), repair), true
	}
	for i, key := range outcome.Keys {
		pair, before := &task.Pairs[i], task.Pairs[i]
		pair.Superfluous, pair.InKeyService = ids(key.Superfluous), ids(key.InKeyService)
		changed = changed || !slices.Equal(before.Superfluous, pair.Superfluous) || !slices.Equal(before.InKeyService, pair.InKeyService)
	}
	for _, finding := range findings {
		s.engine.notify(ctx, Event{Kind: KindWarning, Run: task.Run, Email: task.Email, Where: task.Where, Message: finding})
	}
	if !changed {
		return nil
	}
	return s.ledgerError(s.engine.options.Ledger.RecordFindings(ctx, *task))
}

// putRight says what was done for a user whom an earlier run had registered.
func putRight(outcome registration.Outcome) string {
	created := slices.ContainsFunc(outcome.Keys, func(k registration.KeyOutcome) bool { return k.Created })
	switch before := outcome.Change.Before; {
	case created:
		return "a key pair that an earlier run had registered was gone, and was registered again"
	case before != nil && before.PrimaryKeyPairID != "":
		return fmt.Sprintf("the identity used key pair %s, and was set again", before.PrimaryKeyPairID)
	case before != nil && before.SigningKeyPairID != "":
		return fmt.Sprintf("the identity used key pairs %s and %s, and was set again", before.SigningKeyPairID, before.EncryptionKeyPairID)
	case outcome.Change.Action == registration.Unchanged:
		return "another key pair for the same certificate serves than the ledger knew"
	}
	return "the identity was gone, and was set again"
}

func ids(pairs []gmail.KeyPair) []string {
	var all []string
	for _, pair := range pairs {
		all = append(all, pair.ID)
	}
	return all
}

// cutOffError: a call that changes something was given up. Nobody knows whether
// Gmail carries it out.
type cutOffError struct{ err error }

func (e *cutOffError) Error() string { return "cut off: " + e.err.Error() }
func (e *cutOffError) Unwrap() error { return e.err }

// cutOff tells the error of a call that changes something and was given up.
func cutOff(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &cutOffError{err}
}
