package failure

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
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
		{usage.Errorf("no such flag"), 2},
		{enroll.ValidateAddress("nobody"), 2},
		{&enroll.MissingError{What: "the PIN", Question: enroll.QuestionPIN}, 2},
		{&BatchError{}, 3},
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
			if got := ExitCode(err); got != test.want {
				t.Errorf("%v %s: exit code %d, want %d", test.err, name, got, test.want)
			}
		}
	}
	// Whoever is interrupted is told so, whatever else went wrong then.
	if got := ExitCode(errors.Join(errors.New("the lab cannot be ended"), context.Canceled)); got != 130 {
		t.Errorf("an interrupt with another error is exit code %d", got)
	}
}
