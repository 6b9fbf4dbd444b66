package enroll

import (
	"context"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// keyPairStep registers the certificate at Gmail as a key pair that has no
// wrapped private key: hardwareKeyMetadata says that the key stays on a card.
func keyPairStep(index int, request KeyRequest) Step {
	step := keyStep("create-key-pair", "register the key pair of slot %s at Gmail", KindChange, changesGmail, request)
	step.look = func(_ context.Context, e *Enrollment) (bool, error) {
		key := e.keys[index]
		if key.pairKnown {
			return true, nil
		}
		leaf := smime.Fingerprint(key.leaf)
		for _, pair := range e.knownPairs {
			if pair.LeafSHA256 == leaf && pair.Enabled {
				key.pair, key.pairKnown = pair, true
				return true, nil
			}
		}
		return false, nil
	}
	step.act = func(ctx context.Context, e *Enrollment) error {
		key := e.keys[index]
		leaf := smime.Fingerprint(key.leaf)
		pair, created, err := e.account.EnsureKeyPair(ctx, e.knownPairs, gmail.KeyPairRequest{
			PKCS7: key.pkcs7, LeafSHA256: leaf, Description: e.describe(key),
		})
		if err != nil {
			return err
		}
		if pair.LeafSHA256 != leaf {
			return fmt.Errorf("the answer is key pair %s of another certificate", pair.ID)
		}
		key.pair, key.pairCreated, key.pairKnown = pair, created, true
		return nil
	}
	return step
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
		look: func(_ context.Context, e *Enrollment) (bool, error) { return e.identitySet, nil },
		act: func(ctx context.Context, e *Enrollment) error {
			want := gmail.Identity{Email: e.request.Email}
			if len(e.keys) == 1 {
				want.PrimaryKeyPairID = e.keys[0].pair.ID
			} else {
				want.SigningKeyPairID, want.EncryptionKeyPairID = e.keys[0].pair.ID, e.keys[1].pair.ID
			}
			identity, change, err := e.account.EnsureIdentity(ctx, want, e.newToGmail)
			if err != nil {
				return err
			}
			if change.Action == gmail.Patched {
				e.note("the identity used other key pairs before; they stay enabled, so that old mail stays readable")
				e.replacedPairs = change.Before
			}
			e.gmailIdentity, e.identitySet = identity, true
			return nil
		}}
}
