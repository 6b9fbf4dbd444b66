package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// secretsStep gathers every secret that the later steps need, and makes the ones
// that nobody gave, so that a missing one is noticed before the card is touched.
func secretsStep() Step {
	return Step{ID: "secrets", Title: "gather the card's secrets", Kind: KindDecision, Changes: changesNothing,
		check: func(ctx context.Context, e *Enrollment) error {
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return err
			}
			if protection.PIN.Tries == 0 {
				return piv.ErrPINBlocked
			}
			if protection.PIN.Factory == piv.Unknown {
				e.note("firmware %s does not tell whether the PIN and PUK are the factory ones: they are taken as changed", e.identity.Firmware)
			}
			for _, gather := range []func(context.Context, piv.Protection) error{e.needIssuer, e.gatherPUK, e.gatherManagementKey, e.gatherEscrow, e.gatherPIN} {
				if err := gather(ctx, protection); err != nil {
					return err
				}
			}
			return nil
		}}
}

// needIssuer refuses to begin what would end for want of an issuer.
func (e *Enrollment) needIssuer(ctx context.Context, _ piv.Protection) error {
	if e.world.Issuer != nil {
		return nil
	}
	for _, key := range e.keys {
		if !key.generate {
			if err := e.findCertificate(ctx, key); err != nil {
				return err
			}
		}
		if key.leaf == nil {
			return ErrNoIssuer
		}
	}
	return nil
}

// pinRule is what a card takes as a PIN (SP 800-73-4 part 2 section 2.4.3).
const pinRule = "6 to 8 letters, digits or signs"

func (e *Enrollment) gatherPIN(ctx context.Context, protection piv.Protection) error {
	return e.askPIN(ctx, protection, "")
}

// askPIN takes the PIN from the request or from a person, who is told of a
// problem with the one before.
func (e *Enrollment) askPIN(ctx context.Context, protection piv.Protection, problem string) error {
	if !e.secrets.pin.IsZero() {
		return nil
	}
	if e.secrets.pin = e.request.PIN; !e.secrets.pin.IsZero() {
		return nil
	}
	question := SecretQuestion{
		Question: Question{ID: QuestionPIN, Text: fmt.Sprintf("the PIN of card %d", e.serial), Flag: "--pin-file FILE or --pin-fd N"},
		Rule:     pinRule, Tries: protection.PIN.Tries, Problem: problem,
		Check: checkOwnPIN,
	}
	if protection.PIN.Factory == piv.Yes {
		question.Text, question.New = fmt.Sprintf("a new PIN for card %d", e.serial), true
	}
	pin, err := e.world.Prompter.Secret(ctx, question)
	if err != nil {
		return err
	}
	e.secrets.pin = pin
	return nil
}

func (e *Enrollment) gatherPUK(_ context.Context, protection piv.Protection) (err error) {
	if protection.PUK.Factory != piv.Yes || !e.secrets.puk.IsZero() {
		return nil
	}
	if e.secrets.puk = e.request.PUK; e.secrets.puk.IsZero() {
		e.secrets.generated = true
		e.secrets.puk, err = piv.NewPUK()
	}
	return err
}

func (e *Enrollment) gatherManagementKey(ctx context.Context, protection piv.Protection) (err error) {
	factory := protection.ManagementKey.Factory
	if factory == piv.Unknown {
		// This key has no try counter, so asking the card costs nothing.
		switch err := e.card.CheckManagementKey(ctx, piv.FactoryManagementKey()); {
		case err == nil:
			factory = piv.Yes
		case !errors.Is(err, piv.ErrManagementKey):
			return err
		}
	}
	if factory == piv.Yes {
		e.secrets.managementKey = piv.FactoryManagementKey()
		if !e.secrets.newManagement.IsZero() {
			return nil
		}
		if e.secrets.newManagement = e.request.ManagementKey; e.secrets.newManagement.IsZero() {
			e.secrets.generated = true
			e.secrets.newManagement, err = piv.NewManagementKey()
		}
		return err
	}
	e.secrets.newManagement = secret.Secret{}
	needed, err := e.cardWillBeWritten(ctx)
	if err != nil || !needed {
		return err
	}
	return e.findManagementKey(ctx)
}

// findManagementKey looks for the card's own management key among those that
// were given, recovered from the escrow, or are typed.
func (e *Enrollment) findManagementKey(ctx context.Context) error {
	candidates := []secret.Secret{e.request.ManagementKey}
	if e.request.ManagementKey.IsZero() {
		candidates = nil
		if e.world.Recover != nil {
			recovered, err := e.world.Recover(ctx, e.serial)
			if err != nil {
				return err
			}
			candidates = recovered
		}
		if len(candidates) == 0 {
			typed, err := e.world.Prompter.Secret(ctx, SecretQuestion{
				Question: Question{ID: "management-key", Text: fmt.Sprintf("the management key of card %d (hexadecimal)", e.serial), Flag: "--management-key-file FILE, --management-key-fd N or --escrow-identity FILE"},
				Rule:     "32, 48 or 64 hexadecimal digits", Tries: piv.UnknownTries,
				Check: func(s secret.Secret) error { _, err := piv.ParseManagementKey(s); return err },
			})
			if err != nil {
				return err
			}
			parsed, err := piv.ParseManagementKey(typed)
			if err != nil {
				return err
			}
			candidates = []secret.Secret{parsed}
		}
	}
	for _, candidate := range candidates {
		err := e.card.CheckManagementKey(ctx, candidate)
		if err == nil {
			e.secrets.managementKey = candidate
			return nil
		}
		if !errors.Is(err, piv.ErrManagementKey) {
			return err
		}
	}
	return piv.ErrManagementKey
}

// cardWillBeWritten reports whether a key is still to be generated or a
// certificate still to be imported.
func (e *Enrollment) cardWillBeWritten(ctx context.Context) (bool, error) {
	for _, key := range e.keys {
		if key.generate {
			return true, nil
		}
		held, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		if held.Certificate == nil {
			return true, nil
		}
		if err := e.findCertificate(ctx, key); err != nil {
			return false, err
		}
		if key.leaf == nil || smime.Fingerprint(key.leaf) != smime.Fingerprint(held.Certificate) {
			return true, nil
		}
	}
	return false, nil
}

// gatherEscrow refuses to go on with generated secrets that have nowhere to be
// kept.
func (e *Enrollment) gatherEscrow(context.Context, piv.Protection) error {
	if e.secrets.generated && e.world.Escrow == nil {
		return &MissingError{What: "a place to keep the card's new PUK and management key", Flag: "--escrow-to RECIPIENT (sealed with age) or --escrow-plain (a file only you can read)"}
	}
	return nil
}
