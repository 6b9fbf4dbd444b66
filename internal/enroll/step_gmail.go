package enroll

import (
	"context"
	"slices"

	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// keyPairStep registers the certificate at Gmail as a key pair that has no
// wrapped private key: hardwareKeyMetadata says that the key stays on a card.
func keyPairStep(index int, request KeyRequest) Step {
	step := keyStep("create-key-pair", "register the key pair of slot %s at Gmail", KindChange, changesGmail, request)
	step.needs = func(e *Enrollment) bool { return e.registration != nil && e.keys[index].leaf != nil }
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
	step.preview = step.act // at a Gmail that cannot be changed
	return step
}

// registered is a key as it is registered at Gmail.
func (e *Enrollment) registered(key *key) registration.Key {
	return registration.Key{
		Use: key.Use, LeafSHA256: smime.Fingerprint(key.leaf), PKCS7: key.pkcs7, Description: e.describe(key),
	}
}

// identityStep makes the registered key pairs the ones that the user signs and
// is written to with. Key pairs that were in use before stay enabled, so that
// old mail stays readable.
func identityStep() Step {
	return Step{ID: "set-identity", Title: "set the user's identity at Gmail", Kind: KindChange, Changes: changesGmail,
		needs: func(e *Enrollment) bool {
			return !slices.ContainsFunc(e.keys, func(k *key) bool {
				return k.leaf == nil || e.registration == nil || !e.registration.HasKeyPair(smime.Fingerprint(k.leaf))
			})
		},
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.outcome != nil {
				return true, nil
			}
			if has, err := e.registration.HasIdentity(ctx); err != nil || !has {
				return false, err
			}
			e.registeredAs(e.registration.Outcome())
			return true, nil
		},
		act: func(ctx context.Context, e *Enrollment) error {
			if err := e.registration.EnsureIdentity(ctx); err != nil {
				return err
			}
			outcome := e.registration.Outcome()
			if outcome.Change.Action == registration.Patched {
				e.note("the identity used other key pairs before; they stay enabled, so that old mail stays readable")
			}
			e.registeredAs(outcome)
			return nil
		}}
}

// registeredAs keeps what the registration came to, and tells what is superfluous.
func (e *Enrollment) registeredAs(outcome registration.Outcome) {
	for _, finding := range outcome.Findings() {
		e.note("%s", finding)
	}
	e.outcome = &outcome
}
