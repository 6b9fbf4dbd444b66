package hint_test

import (
	"github.com/cse-piv/cse-piv/internal/cli/hint"

	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestEveryRefusalOfACardHasAHint: nobody is left with a status word.
func TestEveryRefusalOfACardHasAHint(t *testing.T) {
	for _, err := range []error{
		piv.ErrNoPCSC, piv.ErrNoService, piv.ErrServiceFailed, piv.ErrAccessDenied, piv.ErrNoReader, piv.ErrNoCard, piv.ErrNotYubiKey, piv.ErrNoSerial, piv.ErrCardInUse,
		piv.ErrRemoved, piv.ErrReset, piv.ErrNoAnswer, piv.ErrBroken, piv.ErrEmptySlot, piv.ErrNotAttestable, piv.ErrCannotAttest, piv.ErrPINBlocked, piv.ErrPUKBlocked,
		piv.ErrPINRequired, piv.ErrWeakPIN, piv.ErrManagementKey, piv.ErrCardFull, piv.ErrTouchTimeout, piv.ErrKeyMismatch, piv.ErrCertificateTooLarge,
	} {
		if hint.For(fmt.Errorf("sign: %w: %w", err, errors.New("the card answered 6982"))) == "" {
			t.Errorf("%q has no hint", err)
		}
	}
}
