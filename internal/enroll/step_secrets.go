package enroll

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// secretsResult is the card's present secrets and the ones that take their place.
type secretsResult struct {
	gathered      bool
	pin           secret.Secret // the user's
	puk           secret.Secret // to be set; zero when the card has its own
	managementKey secret.Secret // the card's present one; zero when not needed
	newManagement secret.Secret // to be set; zero when the card has its own
	// pukGenerated and managementGenerated say which nobody gave, so that they must
	// be sealed; sealed is what an earlier run did.
	pukGenerated, managementGenerated bool
	sealed                            escrow.Record
	// newCard and tryPUK are what a person or a flag said of a card that does not
	// tell whether its PIN and PUK are the factory ones.
	askedNew, newCard, tryPUK bool
	agreedNoPIN               []piv.Slot // whose keys may ask for no PIN
	// behindPIN says that the card's present management key is needed, and that the PIN
	// leads to it.
	behindPIN bool
}

// secretsStep gathers every secret that the later steps need, and makes the ones
// that nobody gave, so that a missing one is noticed before the card is touched.
func secretsStep() Step {
	return Step{ID: "secrets", Title: "gather the card's secrets", Kind: KindDecision, Changes: changesNothing,
		needs: decided,
		check: func(ctx context.Context, e *enrollment) error {
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return err
			}
			if protection.PIN.Tries == 0 {
				return piv.ErrPINBlocked
			}
			if protection.PUK.Tries == 0 {
				e.note("%s", PUKBlocked)
			}
			if err := e.findSealed(ctx); err != nil {
				return err
			}
			for _, gather := range []func(context.Context, piv.Protection) error{e.needIssuer, e.agreeToNoPIN, e.detectReset, e.askWhetherNew, e.gatherPUK, e.gatherManagementKey, e.needEscrow, e.gatherPIN} {
				if err := gather(ctx, protection); err != nil {
					return err
				}
			}
			e.secrets.gathered = true
			return nil
		}}
}

// forgetNew makes of the secrets those for a card that is not new after all, whose PIN
// and PUK stay as they are; the PIN is to be asked for.
func (s *secretsResult) forgetNew() {
	s.newCard, s.pin = false, secret.Secret{}
	s.keepPUK()
}

// keepPUK leaves the PUK that the card has.
func (s *secretsResult) keepPUK() { s.puk, s.pukGenerated = secret.Secret{}, false }

// gathered reports whether it is decided which secrets the card gets.
func gathered(e *enrollment) bool { return e.secrets.gathered }

// needIssuer refuses to begin what would end for want of an issuer.
func (e *enrollment) needIssuer(context.Context, piv.Protection) error {
	if e.deps.Issuer == nil && slices.ContainsFunc(e.keys, func(key *key) bool { return key.leaf == nil }) {
		return ErrNoIssuer
	}
	return nil
}

func (e *enrollment) gatherPIN(ctx context.Context, protection piv.Protection) error {
	return e.askPIN(ctx, protection, "")
}

func (e *enrollment) gatherPUK(_ context.Context, protection piv.Protection) (err error) {
	if e.factoryPUK(protection) != piv.Yes || !e.secrets.puk.IsZero() {
		return nil
	}
	if e.secrets.puk = e.request.PUK; !e.secrets.puk.IsZero() {
		return nil
	}
	e.secrets.pukGenerated = true
	if e.secrets.puk = e.secrets.sealed.PUK; e.secrets.puk.IsZero() {
		e.secrets.puk, err = piv.NewPUK()
	}
	return err
}

// factoryManagementKey reports whether the card has the factory management key.
func (e *enrollment) factoryManagementKey(ctx context.Context, protection piv.Protection) (bool, error) {
	if protection.ManagementKey.Factory != piv.Unknown {
		return protection.ManagementKey.Factory == piv.Yes, nil
	}
	// This key has no try counter, so asking the card costs nothing.
	err := e.card.CheckManagementKey(ctx, piv.FactoryManagementKey())
	if errors.Is(err, piv.ErrManagementKey) {
		return false, nil
	}
	return err == nil, err
}

// detectReset forgets what was found out of a card that was reset since: it has the
// factory management key again, after that was replaced.
func (e *enrollment) detectReset(ctx context.Context, protection piv.Protection) error {
	if e.noted(evidence.SecretManagementKey).State != evidence.SecretSet {
		return nil
	}
	factory, err := e.factoryManagementKey(ctx, protection)
	if err != nil || !factory {
		return err
	}
	clear(e.evidence.journal.Secrets)
	e.secrets.sealed = escrow.Record{} // it was the card's once
	return nil
}

func (e *enrollment) gatherManagementKey(ctx context.Context, protection piv.Protection) error {
	factory, err := e.factoryManagementKey(ctx, protection)
	if err != nil {
		return err
	}
	if factory {
		e.secrets.managementKey = piv.FactoryManagementKey()
		if !e.secrets.newManagement.IsZero() {
			return nil
		}
		if e.secrets.newManagement = e.request.ManagementKey; !e.secrets.newManagement.IsZero() {
			return nil
		}
		e.secrets.managementGenerated = true
		if e.secrets.newManagement = e.secrets.sealed.ManagementKey; e.secrets.newManagement.IsZero() {
			e.secrets.newManagement, err = piv.NewManagementKey()
		}
		return err
	}
	e.secrets.newManagement = secret.Secret{}
	if e.request.ProtectManagementKey {
		e.note("the management key stays as it is: only one that is set here is protected by the PIN")
	}
	needed, err := e.cardWillBeWritten(ctx)
	if err != nil || !needed {
		return err
	}
	if e.secrets.behindPIN, err = e.isBehindPIN(ctx); err != nil || e.secrets.behindPIN {
		return err
	}
	return e.findManagementKey(ctx)
}

// findManagementKey looks for the card's own management key among those that
// were given, recovered from the escrow, or are typed.
func (e *enrollment) findManagementKey(ctx context.Context) error {
	candidates := []secret.Secret{e.request.ManagementKey}
	if e.request.ManagementKey.IsZero() {
		candidates = nil
		if e.deps.Recover != nil {
			recovered, err := e.deps.Recover(ctx, e.request.Serial)
			if err != nil {
				return err
			}
			for _, record := range recovered {
				if !record.ManagementKey.IsZero() {
					candidates = append(candidates, record.ManagementKey)
				}
			}
		}
		if len(candidates) == 0 {
			typed, err := e.deps.Prompter.Secret(ctx, SecretQuestion{
				Question: Question{ID: QuestionManagementKey, Text: fmt.Sprintf("the management key of card %d (hexadecimal)", e.request.Serial)},
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
func (e *enrollment) cardWillBeWritten(ctx context.Context) (bool, error) {
	if e.request.cardOnly {
		return e.cardIsIncomplete(ctx)
	}
	if has, err := e.hasTries(ctx); err != nil || !has {
		return true, err
	}
	if left, err := e.copiesLeft(ctx); err != nil || left {
		return true, err
	}
	for _, key := range e.keys {
		if key.toGenerate() {
			return true, nil
		}
		contents, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		if contents.Certificate == nil {
			return true, nil
		}
		if err := e.findCertificate(ctx, key); err != nil {
			return false, err
		}
		if key.leaf == nil || certificate.Fingerprint(key.leaf) != certificate.Fingerprint(contents.Certificate) {
			return true, nil
		}
	}
	return false, nil
}

// needEscrow refuses to go on with generated secrets that have nowhere to be kept, or
// cannot be kept there.
func (e *enrollment) needEscrow(ctx context.Context, _ piv.Protection) error {
	switch {
	case !e.unsealed():
		return nil
	case e.deps.Escrow == nil:
		return NoEscrow()
	}
	return checkAhead(ctx, e.deps.Escrow)
}

// NoEscrow returns the error of a card that gets a new PUK or management key, where no
// place was named to keep them.
func NoEscrow() error {
	return &MissingError{What: "a place to keep the card's new PUK and management key", Question: QuestionEscrow}
}
