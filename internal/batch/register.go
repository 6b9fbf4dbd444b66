package batch

import (
	"context"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// registerSafely is register for a program that has mistakes: one that shows with
// one user is that user's failure, and is told.
func (s *session) registerSafely(ctx context.Context, task *ledger.Task) (found bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = newInternalError(fault)
		}
	}()
	return s.register(ctx, task)
}

// register makes one user's key pairs and identity what the task asks for. It
// records each answer before the next call. found reports that nothing had to be
// done for an entry that an earlier run brought to its end.
func (s *session) register(ctx context.Context, task *ledger.Task) (found bool, err error) {
	account, err := s.engine.options.Domain.User(ctx, task.Email)
	if err != nil {
		return false, err
	}
	known, err := account.KeyPairs(ctx)
	if err != nil {
		return false, err
	}
	if task.Earlier && stillThere(task.Pairs, known) {
		return true, nil
	}
	for i := range task.Pairs {
		if err := s.registerPair(ctx, account, known, task, &task.Pairs[i]); err != nil {
			return false, err
		}
	}
	want, ok, err := identityFor(task.Entry)
	if err != nil || !ok {
		return false, err
	}
	if err := s.mayAct(ctx, *task); err != nil {
		return false, err
	}
	_, _, err = account.EnsureIdentity(ctx, want, len(known) == 0)
	return false, cutOff(ctx, err)
}

func (s *session) registerPair(ctx context.Context, account Account, known []gmail.KeyPair, task *ledger.Task, pair *ledger.Pair) error {
	if err := s.mayAct(ctx, *task); err != nil {
		return err
	}
	got, created, err := account.EnsureKeyPair(ctx, known, gmail.KeyPairRequest{
		PKCS7: pair.PKCS7, LeafSHA256: pair.LeafSHA256, Description: pair.Description,
		SkipChainValidation: pair.Use == ledger.UseHistory,
	})
	if err != nil {
		return cutOff(ctx, err)
	}
	if pair.KeyPairID != got.ID {
		// One that is there was made by this program only if the ledger says so.
		pair.KeyPairID, pair.Created = got.ID, created
		return s.ledgerError(s.engine.options.Ledger.RecordKeyPair(ctx, *task, *pair))
	}
	return nil
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

// stillThere reports whether all pairs of an entry are at Gmail, enabled and
// under the names that the ledger knows.
func stillThere(pairs []ledger.Pair, known []gmail.KeyPair) bool {
	for _, pair := range pairs {
		if !slices.ContainsFunc(known, func(k gmail.KeyPair) bool { return k.ID == pair.KeyPairID && k.Enabled }) {
			return false
		}
	}
	return true
}

// identityFor is the identity that an entry asks for; none where it has pairs
// for history only.
func identityFor(entry ledger.Entry) (gmail.Identity, bool, error) {
	want := gmail.Identity{Email: entry.Email}
	for _, pair := range entry.Pairs {
		var id *string
		switch pair.Use {
		case "both":
			id = &want.PrimaryKeyPairID
		case "sign":
			id = &want.SigningKeyPairID
		case "encrypt":
			id = &want.EncryptionKeyPairID
		case ledger.UseHistory:
			continue
		default:
			return want, false, fmt.Errorf("a certificate for %q cannot be registered", pair.Use)
		}
		if *id != "" {
			return want, false, fmt.Errorf("more than one certificate for %q", pair.Use)
		}
		*id = pair.KeyPairID
	}
	return want, want != gmail.Identity{Email: entry.Email}, nil
}
