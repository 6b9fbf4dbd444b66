package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/tui"
)

// The numbers are those of the README; scripts depend on them, however deep in
// other errors the cause is.
func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything else"), 1},
		{prompt.ErrEndOfInput, 1},
		{enroll.ErrDeclined, 1},
		{tui.ErrBroken, 1},
		{usageErrorf("no such flag"), 2},
		{enroll.ValidateAddress("nobody"), 2},
		{&enroll.MissingError{What: "the PIN", Question: enroll.QuestionPIN}, 2},
		{&failedError{}, 3},
		{gmail.ErrCredentials, 4},
		{gmail.ErrScope, 4},
		{piv.ErrNoService, 5},
		{piv.ErrServiceFailed, 5},
		{piv.ErrAccessDenied, 5},
		{piv.ErrNoReader, 5},
		{piv.ErrNoCard, 5},
		{piv.ErrNotYubiKey, 5},
		{piv.ErrCardInUse, 5},
		{piv.ErrRemoved, 5},
		{piv.ErrNoSerial, 5},
		{piv.ErrNoAnswer, 5},
		{piv.ErrBroken, 5},
		{&piv.SeveralCardsError{}, 5},
		{&piv.WrongCardError{}, 5},
		{&piv.WrongPINError{Tries: 2}, 6},
		{&piv.LastTryError{}, 6},
		{piv.ErrPINBlocked, 6},
		{attestation.ErrRefused, 7},
		{enroll.ErrUnattested, 7},
		{&issuer.WaitingError{Request: "the CA"}, 8},
		{context.Canceled, 130},
	} {
		wrapped := fmt.Errorf("at the desk: %w", &enroll.StepError{Err: test.err})
		if test.err == nil {
			wrapped = nil
		}
		for name, err := range map[string]error{"": test.err, "in a step": wrapped, "with others": errors.Join(wrapped, nil)} {
			if got := exitCode(err); got != test.want {
				t.Errorf("%v %s: exit code %d, want %d", test.err, name, got, test.want)
			}
		}
	}
	// Whoever is interrupted is told so, whatever else went wrong then.
	if got := exitCode(errors.Join(errors.New("the lab cannot be ended"), context.Canceled)); got != 130 {
		t.Errorf("an interrupt with another error is exit code %d", got)
	}
}

// An interrupt hides nothing that went wrong besides.
func TestWhatAPersonIsTold(t *testing.T) {
	stopped := &enroll.StepError{Step: enroll.Step{Title: "read the card"}, Err: context.Canceled}
	full := fmt.Errorf("closing the ledger: %w", errors.New("the disk is full"))
	const interrupted = "cse-piv: interrupted; run the same command again to go on\n"
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"an interrupt":               {context.Canceled, interrupted},
		"in a step":                  {stopped, interrupted},
		"with nothing else":          {errors.Join(stopped, nil), interrupted},
		"with something else":        {errors.Join(stopped, full), "cse-piv: error: closing the ledger: the disk is full\n" + interrupted},
		"joined with that twice":     {errors.Join(errors.Join(full, context.Canceled), nil), "cse-piv: error: closing the ledger: the disk is full\n" + interrupted},
		"with something with a hint": {errors.Join(context.Canceled, piv.ErrNoReader), "cse-piv: error: no smart card reader\ncse-piv: hint: " + hintFor(piv.ErrNoReader) + "\n" + interrupted},
		"no interrupt":               {full, "cse-piv: error: closing the ledger: the disk is full\n"},
		"readers that are refused":   {piv.ErrAccessDenied, "cse-piv: error: the smart card service refuses this user\ncse-piv: hint: " + hintFor(piv.ErrAccessDenied) + "\n"},
	} {
		var out strings.Builder
		if printError(&out, test.err, ""); out.String() != test.want {
			t.Errorf("%s: it was told\n%swant\n%s", name, out.String(), test.want)
		}
	}
}

// TestEveryRefusalOfACardHasAHint: nobody is left with a status word.
func TestEveryRefusalOfACardHasAHint(t *testing.T) {
	for _, err := range []error{
		piv.ErrNoPCSC, piv.ErrNoService, piv.ErrServiceFailed, piv.ErrAccessDenied, piv.ErrNoReader, piv.ErrNoCard, piv.ErrNotYubiKey, piv.ErrNoSerial, piv.ErrCardInUse,
		piv.ErrRemoved, piv.ErrReset, piv.ErrNoAnswer, piv.ErrBroken, piv.ErrEmptySlot, piv.ErrNotAttestable, piv.ErrPINBlocked, piv.ErrPUKBlocked,
		piv.ErrPINRequired, piv.ErrWeakPIN, piv.ErrManagementKey, piv.ErrCardFull, piv.ErrTouchTimeout, piv.ErrKeyMismatch, piv.ErrCertificateTooLarge,
	} {
		if hintFor(fmt.Errorf("sign: %w: %w", err, errors.New("the card answered 6982"))) == "" {
			t.Errorf("%q has no hint", err)
		}
	}
}
