package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime"
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

// ending is one of the ways in which commands fail.
type ending struct {
	code   int
	reason string // a stable name of it, for JSON
	is     func(error) bool
}

// endings returns all of them but those of Gmail and of rows, which have the reasons of
// [batch.Reasons]; the first one that an error is counts.
func endings() []ending {
	return []ending{
		{exitInterrupted, "interrupted", as(context.Canceled)},
		{exitUsage, "flag-missing", is[*missingError]},
		{exitUsage, "flag-missing", is[*enroll.MissingError]},
		{exitUsage, "flag-missing", as(enroll.ErrNoIssuer)},
		{exitUsage, "flag-missing", is[*confirmError]},
		{exitUsage, "flag-missing", is[*missingSecretError]},
		{exitUsage, "puk-unknown", as(maintenance.ErrNoPUK)},
		{exitUsage, "other-card", func(err error) bool { return is[*enroll.OtherCardError](err) && !errors.Is(err, enroll.ErrDeclined) }},
		{exitUsage, "usage", func(err error) bool { return is[*usageError](err) || enroll.IsUsage(err) }},
		{exitSomeFailed, "users-failed", is[*failedError]},
		{exitSomeFailed, "users-failed", is[*someFailedError]},
		{exitCredentials, "credentials", as(gmail.ErrCredentials)},
		{exitCredentials, "scope", as(gmail.ErrScope)},
		{exitPIN, "pin-wrong", is[*piv.WrongPINError]},
		{exitPIN, "pin-last-try", is[*piv.LastTryError]},
		{exitPIN, "pin-blocked", as(piv.ErrPINBlocked)},
		{exitAttestation, "attestation-refused", as(attestation.ErrRefused)},
		{exitAttestation, "unattested", as(enroll.ErrUnattested)},
		{exitWaiting, "certificate-waiting", is[*issuer.WaitingError]},
		{exitCard, "several-cards", is[*piv.SeveralCardsError]},
		{exitCard, "wrong-card", is[*piv.WrongCardError]},
		{exitCard, "firmware-too-old", is[*enroll.NoAttestationError]},
		{exitCard, "no-smart-card-support", as(piv.ErrNoPCSC)},
		{exitCard, "no-smart-card-service", as(piv.ErrNoService)},
		{exitCard, "smart-card-service-failed", as(piv.ErrServiceFailed)},
		{exitCard, "readers-refused", as(piv.ErrAccessDenied)},
		{exitCard, "no-reader", as(piv.ErrNoReader)},
		{exitCard, "no-card", as(piv.ErrNoCard)},
		{exitCard, "not-a-yubikey", as(piv.ErrNotYubiKey)},
		{exitCard, "no-serial", as(piv.ErrNoSerial)},
		{exitCard, "card-in-use", as(piv.ErrCardInUse)},
		{exitCard, "card-removed", as(piv.ErrRemoved)},
		{exitCard, "card-reset", as(piv.ErrReset)},
		{exitCard, "card-silent", as(piv.ErrNoAnswer)},
		{exitCard, "card-broken", as(piv.ErrBroken)},
		{exitError, "declined", as(enroll.ErrDeclined)},
		{exitError, "slot-occupied", is[*enroll.OccupiedError]},
		{exitError, "slot-empty", is[*enroll.EmptyError]},
		{exitError, "begun-otherwise", is[*enroll.ConflictError]},
		{exitError, "issuer-changed", is[*enroll.IssuerChangedError]},
		{exitError, "issuer-unreachable", is[*issuer.UnreachableError]},
		{exitError, "not-issued", as(ca.ErrUnknownSerial)},
		{exitError, "issuer-root", is[*issuer.RootError]},
		{exitError, "issuer-provisioner", is[*issuer.ProvisionerError]},
		{exitError, "issuer-tls", is[*issuer.TLSError]},
		{exitError, "issuer-answer", is[*issuer.AnswerError]},
		{exitError, "other-address", is[*enroll.OtherAddressError]},
		{exitError, "other-key", is[*enroll.OtherKeyError]},
		{exitError, "other-key", is[*issuer.OtherKeyError]},
		{exitError, "limited-use", is[*enroll.LimitedUseError]},
		{exitError, "certificate-refused", is[*refusedError]},
		{exitError, "bundle-incomplete", func(err error) bool {
			return isAny(err, smime.ErrNoRoot, smime.ErrSeveralRoots, smime.ErrNoIntermediate, smime.ErrForeignPart, smime.ErrAuthorityKey, smime.ErrNoSample)
		}},
		{exitError, "certificate-unreadable", as(certificate.ErrUnreadable)},
		{exitError, "evidence-in-use", as(evidence.ErrBusy)},
		{exitError, "evidence-damaged", is[*evidence.JournalError]},
		{exitError, "management-key", as(piv.ErrManagementKey)},
		{exitError, "puk-blocked", as(piv.ErrPUKBlocked)},
		{exitError, "touch-timeout", as(piv.ErrTouchTimeout)},
		{exitError, "no-users", is[*nobodyError]},
		{exitError, "ledger-missing", is[*ledger.MissingError]},
		{exitError, "ledger-in-use", is[*ledger.InUseError]},
		{exitError, "ledger-unreachable", is[*ledger.UnreachableError]},
		{exitError, "ledger", is[*ledger.Error]},
	}
}

// as returns what tells an error by comparing.
func as(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// isAny reports whether an error is one of several.
func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// otherReason is the reason of an error that has no name of its own.
const otherReason = "other"

// exitCode returns the code for an error.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	return endingOf(err).code
}

// exitReason returns the stable name of an error.
func exitReason(err error) string {
	end := endingOf(err)
	if end.code != exitError && end.code != exitUsage {
		return end.reason
	}
	if failed, found := errors.AsType[*gmail.Error](err); found {
		return string(failed.Kind)
	}
	if fault, found := errors.AsType[*prepare.Fault](err); found {
		return fault.Reason
	}
	if broken, found := errors.AsType[*source.Error](err); found && broken.Reason != "" {
		return broken.Reason
	}
	return end.reason
}

func endingOf(err error) ending {
	for _, end := range endings() {
		if end.is(err) {
			return end
		}
	}
	return ending{code: exitError, reason: otherReason}
}

// printError is the one place where an error reaches a person: what failed and
// why, and what to type next; origin says where a value came from that nobody typed.
// What failed besides an interrupt is told before it.
func printError(out io.Writer, err error, origin string) {
	interrupted := errors.Is(err, context.Canceled)
	if interrupted {
		err = besidesInterrupt(err)
	}
	if err != nil {
		fmt.Fprintf(out, "cse-piv: error: %s\n", safetext.Clean(oneLine(err)))
		if hint := joinHints(hintFor(err), origin); hint != "" {
			fmt.Fprintf(out, "cse-piv: hint: %s\n", safetext.Clean(hint))
		}
	}
	if interrupted {
		fmt.Fprintln(out, "cse-piv: interrupted; run the same command again to go on")
	}
}

// oneLine returns the text of an error, also of joined ones, for a line.
func oneLine(err error) string { return strings.ReplaceAll(safetext.FileError(err), "\n", "; ") }

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
