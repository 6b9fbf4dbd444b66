package enroll

import (
	"context"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// keyPairStep registers the certificate at Gmail as a key pair that has no
// wrapped private key: hardwareKeyMetadata says that the key stays on a card.
func keyPairStep(index int, request KeyRequest) Step {
	step := keyStep("create-key-pair", "register the key pair of slot %s at Gmail", KindChange, changesGmail, request)
	step.needs = func(e *enrollment) bool { return e.user.registration != nil && e.keys[index].leaf != nil }
	step.check = func(ctx context.Context, e *enrollment) error {
		key := e.registered(e.keys[index])
		if !e.user.registration.HasKeyPair(key.LeafSHA256) {
			return nil
		}
		return e.user.registration.EnsureKeyPair(ctx, key) // uses the one that is there
	}
	step.look = func(_ context.Context, e *enrollment) (bool, error) {
		return e.user.registration.HasKeyPair(certificate.Fingerprint(e.keys[index].leaf)), nil
	}
	step.act = func(ctx context.Context, e *enrollment) error {
		// A review may have taken its time: the card that was shown has to be there still.
		if _, err := e.certificateOnCard(ctx, e.keys[index]); err != nil {
			return err
		}
		return e.user.registration.EnsureKeyPair(ctx, e.registered(e.keys[index]))
	}
	step.preview = func(ctx context.Context, e *enrollment) error { // at a Gmail that cannot be changed
		return e.user.registration.EnsureKeyPair(ctx, e.registered(e.keys[index]))
	}
	return step
}

// registered is a key as it is registered at Gmail.
func (e *enrollment) registered(key *key) registration.Key {
	return registration.Key{
		Use: key.Use, LeafSHA256: certificate.Fingerprint(key.leaf), PKCS7: key.pkcs7, Description: e.describe(key),
	}
}

// identityResult is what the registration came to; nil before it is over.
type identityResult struct{ outcome *registration.Outcome }

// identityStep makes the registered key pairs the user's identity: those that the user
// signs with and others encrypt to. Key pairs that were in use before stay enabled, so that
// old mail stays readable.
func identityStep() Step {
	return Step{ID: "set-identity", Title: "set the user's identity at Gmail", Kind: KindChange, Changes: changesGmail,
		needs: func(e *enrollment) bool {
			return !slices.ContainsFunc(e.keys, func(k *key) bool {
				return k.leaf == nil || e.user.registration == nil || !e.user.registration.HasKeyPair(certificate.Fingerprint(k.leaf))
			})
		},
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			if has, err := e.user.registration.HasIdentity(ctx); err != nil || !has {
				return false, err
			}
			outcome := e.user.registration.Outcome()
			for _, finding := range outcome.Findings() {
				e.note("%s", finding)
			}
			e.identity.outcome = &outcome
			return true, nil
		},
		act: func(ctx context.Context, e *enrollment) error {
			if err := e.user.registration.EnsureIdentity(ctx); err != nil {
				return err
			}
			if e.user.registration.Outcome().Change.Action == registration.Patched && !e.request.EndsFormer {
				e.note("the identity used other key pairs before; they stay enabled, so that old mail stays readable")
			}
			return nil
		}}
}
