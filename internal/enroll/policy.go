package enroll

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// AttestedError is returned for a key of which the card attests something else than was asked
// for, or than it says otherwise. It is an attestation.ErrRefused.
type AttestedError struct {
	Slot piv.Slot
	// What is it about: "PIN policy", "touch policy", "algorithm" or "firmware".
	What, Attested, Asked string
}

// Error says both.
func (e *AttestedError) Error() string {
	return fmt.Sprintf("the card attests %s %s for the key in slot %s, not %s", e.What, e.Attested, e.Slot, e.Asked)
}

// Is reports true for attestation.ErrRefused.
func (e *AttestedError) Is(target error) bool { return target == attestation.ErrRefused }

// checkAttested compares what is attested of a key with what the card says of
// itself and, where the key was generated for the user, with what was asked for.
func (e *enrollment) checkAttested(key *key, facts *attestation.Facts) error {
	differs := func(what, attested, asked string) error {
		if attested == asked {
			return nil
		}
		return &AttestedError{Slot: key.Slot, What: what, Attested: attested, Asked: asked}
	}
	algorithm := key.algorithm
	if key.Source == SourceGenerate {
		algorithm = key.Algorithm
	}
	err := errors.Join(
		differs("firmware", facts.Firmware, e.card.Identity().Firmware.String()),
		differs("algorithm", facts.Algorithm, string(algorithm)),
	)
	if key.Source == SourceGenerate {
		err = errors.Join(err,
			differs("PIN policy", facts.PINPolicy, string(key.PINPolicy.In(key.Slot))),
			differs("touch policy", facts.TouchPolicy, string(key.TouchPolicy.Effective())),
		)
	}
	if p := e.request.Profile; p != nil {
		err = errors.Join(err, p.Error(p.CheckKey(key.Slot, facts)))
	}
	return err
}

// noPIN says what it means that a key asks for no PIN; empty for other policies.
func noPIN(policy string) string {
	if policy != string(piv.PINNever) {
		return ""
	}
	return "it asks for no PIN: whoever holds the card can sign and read with it"
}

// asksForNoPIN reports whether the key that is to be enrolled asks for no PIN, as
// far as that is known before it is generated or attested.
func (k *key) asksForNoPIN() bool {
	policy, _ := k.policies()
	if k.toGenerate() {
		policy = k.PINPolicy.In(k.Slot)
	}
	return policy == piv.PINNever
}

// agreeToNoPIN says of every key that asks for no PIN that it does, and has a person
// agree to what nobody chose: that of slot 9e, or of a key that is on the card.
func (e *enrollment) agreeToNoPIN(ctx context.Context, _ piv.Protection) error {
	for _, key := range e.keys {
		if !key.asksForNoPIN() {
			continue
		}
		e.note("the key in slot %s: %s", key.Slot, noPIN(string(piv.PINNever)))
		chosen := key.Source == SourceGenerate && key.PINPolicy == piv.PINNever
		if chosen || e.request.AllowPINNever || slices.Contains(e.secrets.agreedNoPIN, key.Slot) {
			continue
		}
		agreed, err := e.deps.Prompter.Confirm(ctx, Question{
			ID:   QuestionNoPIN,
			Text: fmt.Sprintf("the key in slot %s asks for no PIN: whoever holds the card can sign and read with it; enroll it all the same?", key.Slot),
		})
		var missing *MissingError
		switch {
		case errors.As(err, &missing):
			return &MissingError{What: fmt.Sprintf("agreement that the key in slot %s asks for no PIN", key.Slot), Question: missing.Question}
		case err != nil:
			return err
		case !agreed:
			return fmt.Errorf("%w: the key in slot %s asks for no PIN", ErrDeclined, key.Slot)
		}
		e.secrets.agreedNoPIN = append(e.secrets.agreedNoPIN, key.Slot)
	}
	return nil
}
