package enroll

import (
	"context"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// keyPairStep registers the certificate at Gmail as a key pair that has no
// wrapped private key: hardwareKeyMetadata says that the key stays on a card.
func keyPairStep(index int, request KeyRequest) Step {
	step := keyStep("create-key-pair", "register the key pair of slot %s at Gmail", KindChange, changesGmail, request)
	step.look = func(ctx context.Context, e *Enrollment) (bool, error) {
		key := e.registered(e.keys[index])
		if !e.registration.HasKeyPair(key.LeafSHA256) {
			return false, nil
		}
		return true, e.registration.EnsureKeyPair(ctx, key) // takes the one that is there
	}
	step.act = func(ctx context.Context, e *Enrollment) error {
		return e.registration.EnsureKeyPair(ctx, e.registered(e.keys[index]))
	}
	return step
}

// registered is a key as it is registered at Gmail.
func (e *Enrollment) registered(key *key) registration.Key {
	return registration.Key{
		Use: registration.Use(key.Use), LeafSHA256: smime.Fingerprint(key.leaf), PKCS7: key.pkcs7, Description: e.describe(key),
	}
}

// describe is what Gmail keeps about the card, for the person who reads it in a
// list years later.
func (e *Enrollment) describe(key *key) string {
	return fmt.Sprintf("%s, serial %d, slot %s", e.identity.Model, e.serial, key.Slot)
}

// Describes reports whether a key pair's description is of a key on the card with
// that serial number.
func Describes(description string, serial uint32) bool {
	return strings.Contains(description, fmt.Sprintf(", serial %d, slot ", serial))
}

// identityStep makes the registered key pairs the ones that the user signs and
// is written to with. Key pairs that were in use before stay enabled, so that
// old mail stays readable.
func identityStep() Step {
	return Step{ID: "set-identity", Title: "set the user's identity at Gmail", Kind: KindChange, Changes: changesGmail,
		look: func(_ context.Context, e *Enrollment) (bool, error) { return e.outcome != nil, nil },
		act: func(ctx context.Context, e *Enrollment) error {
			if err := e.registration.EnsureIdentity(ctx); err != nil {
				return err
			}
			outcome := e.registration.Outcome()
			if outcome.Change.Action == registration.Patched {
				e.note("the identity used other key pairs before; they stay enabled, so that old mail stays readable")
			}
			for _, finding := range outcome.Findings() {
				e.note("%s", finding)
			}
			e.outcome = &outcome
			return nil
		}}
}
