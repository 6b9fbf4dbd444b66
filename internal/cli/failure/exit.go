// Package failure is how commands fail: exit codes, the stable names of reasons, and the
// errors that no package below the command line knows.
package failure

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/keyring"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// The exit codes; scripts depend on them. docs/reference/exit-codes.md is made from
// what stands beside them.
const (
	ExitDone        = 0   // done; in a dry run: the run would be
	ExitError       = 1   // error: the message says what failed, why, and what to do
	ExitUsage       = 2   // usage: something in the command line, or a flag that is missing where nobody can be asked
	ExitSomeFailed  = 3   // the command came to its end, and some users failed, reconcile found something, or records of a drill do not open
	ExitCredentials = 4   // credentials, or a scope that was not delegated
	ExitCard        = 5   // no reader, no card, or not one that can be used
	ExitPIN         = 6   // PIN wrong or blocked
	ExitAttestation = 7   // attestation refused
	ExitWaiting     = 8   // waiting for a certificate: run the same command again
	ExitInterrupted = 130 // interrupted: the same command goes on
)

// Ending is one of the ways in which commands fail.
type Ending struct {
	Code   int
	Reason string // a stable name of it, for JSON
	is     func(error) bool
}

// Endings returns all of them but those of Gmail and of rows, which have the reasons of
// [batch.Reasons]; the first one that an error is counts.
func Endings() []Ending {
	return []Ending{
		{ExitInterrupted, "interrupted", as(context.Canceled)},
		{ExitUsage, "flag-missing", Is[*MissingError]},
		{ExitUsage, "flag-missing", Is[*enroll.MissingError]},
		{ExitUsage, "flag-missing", as(enroll.ErrNoIssuer)},
		{ExitUsage, "flag-missing", func(err error) bool {
			missing, found := errors.AsType[*ConfirmError](err)
			return found && missing.Given == ""
		}},
		{ExitUsage, "flag-missing", Is[*MissingSecretError]},
		{ExitUsage, "key-not-movable", Is[*enroll.CannotKeepKeyError]},
		{ExitUsage, "puk-unknown", as(maintenance.ErrNoPUK)},
		{ExitUsage, "other-card", func(err error) bool { return Is[*enroll.OtherCardError](err) && !errors.Is(err, enroll.ErrDeclined) }},
		{ExitUsage, "usage", func(err error) bool { return Is[*usage.Error](err) || enroll.IsUsage(err) }},
		{ExitSomeFailed, "users-failed", Is[*BatchError]},
		{ExitSomeFailed, "users-failed", Is[*UsersError]},
		{ExitSomeFailed, "findings", Is[*FindingsError]},
		{ExitSomeFailed, "records-closed", Is[*RecordsError]},
		{ExitPIN, "pin-factory", Is[*piv.FactoryError]},
		{ExitPIN, "pin-wrong", Is[*piv.WrongPINError]},
		{ExitPIN, "pin-last-try", Is[*piv.LastTryError]},
		{ExitPIN, "pin-blocked", as(piv.ErrPINBlocked)},
		{ExitAttestation, "profile-not-met", Is[*enroll.ProfileError]},
		{ExitAttestation, "attestation-refused", as(attestation.ErrRefused)},
		{ExitAttestation, "unattested", as(enroll.ErrUnattested)},
		{ExitWaiting, "certificate-waiting", Is[*issuer.WaitingError]},
		{ExitCard, "signing-card", Is[*SigningCardError]},
		{ExitCard, "several-cards", Is[*piv.SeveralCardsError]},
		{ExitCard, "wrong-card", Is[*piv.WrongCardError]},
		{ExitCard, "firmware-too-old", Is[*enroll.NoAttestationError]},
		{ExitCard, "no-smart-card-support", as(piv.ErrNoPCSC)},
		{ExitCard, "no-smart-card-service", as(piv.ErrNoService)},
		{ExitCard, "smart-card-service-failed", as(piv.ErrServiceFailed)},
		{ExitCard, "readers-refused", as(piv.ErrAccessDenied)},
		{ExitCard, "no-reader", as(piv.ErrNoReader)},
		{ExitCard, "no-card", as(piv.ErrNoCard)},
		{ExitCard, "not-a-yubikey", as(piv.ErrNotYubiKey)},
		{ExitCard, "no-serial", as(piv.ErrNoSerial)},
		{ExitCard, "card-in-use", as(piv.ErrCardInUse)},
		{ExitCard, "card-removed", as(piv.ErrRemoved)},
		{ExitCard, "card-reset", as(piv.ErrReset)},
		{ExitCard, "card-silent", as(piv.ErrNoAnswer)},
		{ExitCard, "card-broken", as(piv.ErrBroken)},
		{ExitCredentials, "proxy-credentials", func(err error) bool {
			refused, found := errors.AsType[*safetext.ProxyError](err)
			return found && refused.WantsCredentials()
		}},
		{ExitCredentials, "credentials", as(gmail.ErrCredentials)},
		{ExitCredentials, "scope", as(gmail.ErrScope)},
		{ExitCredentials, "directory-admin", func(err error) bool {
			failed, found := errors.AsType[*gmail.Error](err)
			return found && failed.Detail == gmail.DetailDirectoryAdmin
		}},
		{ExitCredentials, "token-endpoint", func(err error) bool {
			failed, found := errors.AsType[*gmail.Error](err)
			return found && failed.Detail == gmail.DetailTokenEndpoint
		}},
		{ExitError, "declined", as(enroll.ErrDeclined)},
		{ExitError, "changed-meanwhile", Is[*registered.ChangedError]},
		{ExitUsage, "which-card", Is[*termination.WhichCardError]},
		{ExitError, "card-not-registered", Is[*termination.UnknownCardError]},
		{ExitError, "not-moved", Is[*termination.NotMovedError]},
		{ExitUsage, "same-card", Is[*termination.SameCardError]},
		{ExitError, "key-in-use", Is[*termination.KeyInUseError]},
		{ExitError, "no-evidence", Is[*enroll.NoEvidenceError]},
		{ExitUsage, "identity-before-unknown", Is[*enroll.UnknownBeforeError]},
		{ExitError, "slot-occupied", Is[*enroll.OccupiedError]},
		{ExitError, "slot-empty", Is[*enroll.EmptyError]},
		{ExitError, "own-pin", Is[*enroll.TriesError]},
		{ExitError, "printed-in-use", Is[*piv.PrintedError]},
		{ExitError, "escrow-record", Is[*NoRecordError]},
		{ExitError, "escrow-identity", as(escrow.ErrNoIdentity)},
		{ExitError, "escrow-other-card", Is[*escrow.OtherCardError]},
		{ExitError, "begun-otherwise", Is[*enroll.ConflictError]},
		{ExitError, "begun-otherwise", Is[*enroll.RenewalBegunError]},
		{ExitError, "renewal-begun", Is[*enroll.RenewingError]},
		{ExitError, "not-enrolled", Is[*enroll.NotEnrolledError]},
		{ExitError, "retired-slots-full", Is[*enroll.RetiredSlotsError]},
		{ExitError, "not-renewed", as(enroll.ErrNotRenewed)},
		{ExitError, "issuer-changed", Is[*enroll.IssuerChangedError]},
		{ExitError, "issuer-unreachable", Is[*issuer.UnreachableError]},
		{ExitError, "not-issued", as(ca.ErrUnknownSerial)},
		{ExitError, "issuer-root", Is[*issuer.RootError]},
		{ExitError, "issuer-provisioner", Is[*issuer.ProvisionerError]},
		{ExitError, "issuer-tls", Is[*issuer.TLSError]},
		{ExitError, "issuer-answer", Is[*issuer.AnswerError]},
		{ExitError, "other-address", Is[*enroll.OtherAddressError]},
		{ExitError, "other-key", Is[*enroll.OtherKeyError]},
		{ExitError, "other-key", Is[*issuer.OtherKeyError]},
		{ExitError, "limited-use", Is[*enroll.LimitedUseError]},
		{ExitError, "certificate-refused", Is[*RefusedError]},
		{ExitError, "bundle-incomplete", func(err error) bool {
			return isAny(err, smime.ErrNoRoot, smime.ErrSeveralRoots, smime.ErrNoIntermediate, smime.ErrForeignPart, smime.ErrAuthorityKey, smime.ErrNoSample)
		}},
		{ExitError, "certificate-unreadable", as(certificate.ErrUnreadable)},
		{ExitError, "evidence-in-use", as(evidence.ErrBusy)},
		{ExitError, "evidence-damaged", Is[*evidence.JournalError]},
		{ExitError, "management-key", as(piv.ErrManagementKey)},
		{ExitError, "card-full", as(piv.ErrCardFull)},
		{ExitError, "puk-blocked", as(piv.ErrPUKBlocked)},
		{ExitError, "touch-timeout", as(piv.ErrTouchTimeout)},
		{ExitError, "no-users", Is[*NobodyError]},
		{ExitError, "ledger-missing", Is[*ledger.MissingError]},
		{ExitError, "no-run", Is[*NoRunError]},
		{ExitError, "ledger-in-use", Is[*ledger.InUseError]},
		{ExitError, "ledger-unreachable", Is[*ledger.UnreachableError]},
		{ExitError, "ledger", Is[*ledger.Error]},
		{ExitError, "no-authorities", Is[*NoAuthoritiesError]},
		{ExitError, "authorities-unreadable", Is[*AuthoritiesError]},
		{ExitError, "not-google-or-yubico", Is[*ForeignError]},
		{ExitError, "factory-pin", as(ErrFactoryPIN)},
		{ExitError, "factory-pin", as(ErrFactoryKeyPIN)},
		{ExitError, "keyring", Is[*keyring.UnavailableError]},
		{ExitError, "no-answer", Is[*NoAnswerError]},
		{ExitError, "checks-failed", Is[*ChecksError]},
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

// OtherReason is the reason of an error that has no name of its own.
const OtherReason = "other"

// ExitCode returns the code for an error.
func ExitCode(err error) int {
	if err == nil {
		return ExitDone
	}
	return endingOf(err).Code
}

// Reason returns the stable name of an error.
func Reason(err error) string {
	end := endingOf(err)
	if end.Code != ExitError && end.Code != ExitUsage {
		return end.Reason
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
	return end.Reason
}

func endingOf(err error) Ending {
	for _, end := range Endings() {
		if end.is(err) {
			return end
		}
	}
	return Ending{Code: ExitError, Reason: OtherReason}
}

// OneLine returns the text of an error, also of joined ones, for a line.
func OneLine(err error) string { return strings.ReplaceAll(safetext.FileError(err), "\n", "; ") }

// BesidesInterrupt is what is left of joined errors without those that only tell
// of an interrupt.
func BesidesInterrupt(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	var others []error
	for _, one := range joined.Unwrap() {
		others = append(others, BesidesInterrupt(one))
	}
	return errors.Join(others...)
}

// Is reports whether an error is, or wraps, one of that type.
func Is[T error](err error) bool {
	_, found := errors.AsType[T](err)
	return found
}
