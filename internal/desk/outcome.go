package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// Failures holds what stood in somebody's way at this desk and was not put right,
// by address in lower case. A no counts: somebody who declined is not enrolled.
type Failures map[string]error

// Of returns what failed for a person; nil for nothing.
func (f Failures) Of(email string) error { return f[strings.ToLower(email)] }

// Has reports whether something failed for a person.
func (f Failures) Has(email string) bool { return f.Of(email) != nil }

// Note takes in what serving a person came to. A receipt, which is nil, and a wait
// for a certificate put right what failed before; an interrupt changes nothing.
func (f Failures) Note(email string, err error) {
	switch {
	case err == nil, len(issuer.Waits(err)) > 0:
		delete(f, strings.ToLower(email))
	case !errors.Is(err, context.Canceled):
		f[strings.ToLower(email)] = err
	}
}

// RemembersPIN reports whether a front end remembers the PIN that was typed, for
// PINKept: where somebody waits for their certificate, or Gmail alone failed.
func RemembersPIN(err error) bool { return len(issuer.Waits(err)) > 0 || failedAtGmail(err) }

func failedAtGmail(err error) bool {
	var failed *gmail.Error
	return errors.As(err, &failed)
}

// Left is why not everybody whom the desk turned to is done: somebody waits for a
// certificate, or else what stood in somebody's way, the last of the queue's; nil
// for nothing.
func Left(entries []QueueEntry, failures Failures) error {
	var left error
	for _, entry := range entries {
		if entry.Stage == enroll.StageWaiting {
			if len(entry.Waits) > 0 {
				return entry.Waits[0]
			}
			return &issuer.WaitingError{Request: "the issuer"}
		}
		if err := obstacle(entry, failures); err != nil {
			left = fmt.Errorf("%s: %w", entry.Email, err)
		}
	}
	return left
}

// obstacle is what stands in a person's way; nil for nothing.
func obstacle(entry QueueEntry, failures Failures) error {
	if err := failures.Of(entry.Email); err != nil || entry.Stage == enroll.StageDone {
		return err
	}
	return entry.Problem
}

// LeftOf is Left for the one person whom the desk was there for. It is
// context.Canceled where they were not begun with, or were stopped.
func LeftOf(entry QueueEntry, failures Failures) error {
	err := obstacle(entry, failures)
	if entry.Stage == enroll.StageWaiting {
		err = Left([]QueueEntry{entry}, failures)
	}
	if err == nil && entry.Stage != enroll.StageDone {
		return context.Canceled
	}
	return err
}
