package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// The exit codes; scripts depend on them. docs/reference/exit-codes.md is made from
// what stands beside them.
const (
	exitDone        = 0   // done; in a dry run: the run would be
	exitError       = 1   // error: the message says what failed, why, and what to do
	exitUsage       = 2   // usage: something in the command line, or a flag that is missing where nobody can be asked
	exitSomeFailed  = 3   // the batch came to its end, and some users failed
	exitCredentials = 4   // credentials, or a scope that was not delegated
	exitCard        = 5   // no reader, no card, or not one that can be used
	exitPIN         = 6   // PIN wrong or blocked
	exitAttestation = 7   // attestation refused
	exitWaiting     = 8   // waiting for a certificate: run the same command again
	exitInterrupted = 130 // interrupted: the same command goes on
)

// exitCode returns the code for an error.
func exitCode(err error) int {
	var (
		missing *enroll.MissingError
		moves   *enroll.OtherCardError
		usage   *usageError
		wait    *issuer.WaitingError
		wrong   *piv.WrongPINError
		last    *piv.LastTryError
		several *piv.SeveralCardsError
		other   *piv.WrongCardError
		old     *enroll.NoAttestationError
		failed  *failedError
		some    *someFailedError
		agree   *confirmError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &missing), errors.As(err, &agree), errors.As(err, &moves) && !errors.Is(err, enroll.ErrDeclined), enroll.IsUsage(err):
		return exitUsage
	case errors.As(err, &failed), errors.As(err, &some):
		return exitSomeFailed
	case errors.Is(err, gmail.ErrCredentials), errors.Is(err, gmail.ErrScope):
		return exitCredentials
	case errors.As(err, &wrong), errors.As(err, &last), errors.Is(err, piv.ErrPINBlocked):
		return exitPIN
	case errors.Is(err, attestation.ErrRefused), errors.Is(err, enroll.ErrUnattested):
		return exitAttestation
	case errors.As(err, &wait):
		return exitWaiting
	case errors.As(err, &several), errors.As(err, &other), errors.As(err, &old), isAny(err, piv.ErrNoPCSC, piv.ErrNoService, piv.ErrAccessDenied,
		piv.ErrNoReader, piv.ErrNoCard, piv.ErrNotYubiKey, piv.ErrNoSerial, piv.ErrCardInUse, piv.ErrRemoved, piv.ErrReset, piv.ErrNoAnswer, piv.ErrBroken):
		return exitCard
	}
	return exitError
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// usageError is a command line that cannot be carried out as it was typed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usageErrorf(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// printError is the one place where an error reaches a person: what failed and
// why, and what to type next. What failed besides an interrupt is told before it.
func printError(out io.Writer, err error) {
	interrupted := errors.Is(err, context.Canceled)
	if interrupted {
		err = besidesInterrupt(err)
	}
	if err != nil {
		fmt.Fprintf(out, "cse-piv: error: %s\n", safetext.Clean(err.Error()))
		if hint := hintFor(err); hint != "" {
			fmt.Fprintf(out, "cse-piv: hint: %s\n", safetext.Clean(hint))
		}
	}
	if interrupted {
		fmt.Fprintln(out, "cse-piv: interrupted; run the same command again to go on")
	}
}

// besidesInterrupt is what is left of joined errors without those that only tell
// of an interrupt.
func besidesInterrupt(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	var others []error
	for _, one := range joined.Unwrap() {
		others = append(others, besidesInterrupt(one))
	}
	return errors.Join(others...)
}
