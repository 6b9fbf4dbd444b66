package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/tui"
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
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &missing), errors.As(err, &moves) && !errors.Is(err, enroll.ErrDeclined), enroll.IsUsage(err):
		return exitUsage
	case errors.As(err, &failed):
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

// hinted is an error that knows what to type next.
type hinted interface{ Hint() string }

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

func hintFor(err error) string {
	var known hinted
	if errors.As(err, &known) && known.Hint() != "" {
		return known.Hint()
	}
	if hint := hintForType(err); hint != "" {
		return hint
	}
	for _, entry := range []struct {
		err  error
		hint string
	}{
		{piv.ErrNoPCSC, "build it with CGO_ENABLED=1 and libpcsclite-dev, or use the Windows binary"},
		{piv.ErrNoService, "start the smart card service: systemctl start pcscd (Linux), sc start SCardSvr (Windows)"},
		{piv.ErrAccessDenied, "allow this user the polkit actions org.debian.pcsc-lite.access_pcsc and org.debian.pcsc-lite.access_card, or work in a session at the machine itself"},
		{piv.ErrNoReader, "plug in a YubiKey, or a reader, and look with: cse-piv card list"},
		{piv.ErrNoCard, "put the card in, and look with: cse-piv card list"},
		{piv.ErrNotYubiKey, "use a YubiKey with firmware 4.3.5 or later, better 5.3 or later, and with its PIV application switched on"},
		{piv.ErrNoSerial, "use another card, or have this one show its serial number: it is what tells cards apart"},
		{piv.ErrBroken, "use another card; this one answers what no card should"},
		{piv.ErrNoAnswer, "take the card out, put it back in and run the same command again: it goes on where it was"},
		{piv.ErrCardInUse, "close what else uses the card (gpg's scdaemon: gpgconf --kill scdaemon; a browser; another window of this program) and run the same command again"},
		{piv.ErrRemoved, "put the card back in and run the same command again: it goes on where it was"},
		{piv.ErrReset, "push the card in firmly and run the same command again: it goes on where it was"},
		{piv.ErrTouchTimeout, "run the same command again, and touch the card while it blinks: it waits for 15 seconds"},
		{piv.ErrPINRequired, "run the same command again and give the PIN: the key asks for it each time"},
		{piv.ErrWeakPIN, "choose one that is no simple row of characters"},
		{piv.ErrEmptySlot, "look what the card holds: cse-piv card show"},
		{piv.ErrNotAttestable, "only a key that was generated on the card can be attested; look where this one comes from: cse-piv card show"},
		{piv.ErrKeyMismatch, "look whether it is the right card and slot: cse-piv card show"},
		{piv.ErrPUKBlocked, "nothing unblocks a PUK; what it is for, unblocking the PIN, is no longer possible on this card"},
		{piv.ErrPINBlocked, "unblock it with the PUK: ykman piv access unblock-pin"},
		{piv.ErrManagementKey, "give the card's own one with --management-key-file FILE; where this program set it, it is in the escrow file named in the receipt"},
		{piv.ErrCardFull, "delete certificates that are no longer needed: ykman piv certificates delete SLOT"},
		{piv.ErrCertificateTooLarge, "have the issuer make it smaller: without texts, pictures and LDAP addresses that mail does not need; then run the same command again"},
		{enroll.ErrUnattested, "generate a key on the card instead, or accept this one with --allow-unattested"},
		{syscall.ENOSPC, "make room on that disk and run the same command again: it goes on where it was"},
		{syscall.EROFS, "choose a folder that can be written: --evidence FOLDER, --escrow-dir FOLDER, --store FILE"},
		{durable.ErrDifferent, "move it away, choose another folder, or replace it with --overwrite"},
		{durable.ErrLink, "remove the link after looking who made it and where it leads: somebody else may be able to write in that folder"},
		{durable.ErrNotRegular, "a file is needed there; a manifest can come through standard input, a secret through a descriptor (--pin-fd)"},
		{evidence.ErrBusy, "wait for the other run to end, or end it; then run the same command again"},
		{tui.ErrBroken, "what was done stays done: run the same command again, or go on line by line with --plain"},
		{enroll.ErrNoIssuer, "add --issuer file, --issuer local, or --issuer URL of an EST server"},
	} {
		if errors.Is(err, entry.err) {
			return entry.hint
		}
	}
	return ""
}

func hintForType(err error) string {
	var (
		several *piv.SeveralCardsError
		wrong   *piv.WrongPINError
		last    *piv.LastTryError
		missing *smime.MissingIssuerError
		cannot  *piv.UnsupportedError
	)
	switch {
	case errors.As(err, &several):
		return "say which one with --serial SERIAL, or leave only one in"
	case errors.As(err, &wrong):
		return "check the PIN and run the same command again; a forgotten one is replaced with the PUK: ykman piv access unblock-pin"
	case errors.As(err, &last):
		return "to use the last try, run it again where you can be asked, and agree; or replace the PIN with the PUK: ykman piv access unblock-pin"
	case errors.As(err, &missing):
		return "give the missing certificates with --chain FILE"
	case errors.As(err, &cannot):
		return "choose another algorithm with --algorithm, or another card"
	}
	return ""
}
