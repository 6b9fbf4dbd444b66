package option

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// accountKey is the flags that say on which card the key of the service account is.
type accountKey struct {
	account, slot string
	serial        uint32
	pin           *Secret
	unattended    bool
	signer        *cardSigner // once it was opened
}

func (k *accountKey) add(flags *pflag.FlagSet) {
	flags.StringVar(&k.account, "service-account", "", "`address` of the service account with domain-wide delegation, whose RSA key is on a YubiKey of the operator's")
	flags.StringVar(&k.slot, "key-slot", "9a", "`slot` of the service account's key")
	flags.Var((*serialFlag)(&k.serial), "key-serial", "which YubiKey has the service account's key (default the only one)")
	k.pin = AddSecret(flags, "key-pin", "the PIN of the YubiKey with the service account's key")
	setting.Mark(flags, "key-slot", "key-serial")
}

// open has the card sign for the service account until the context ends.
func (k *accountKey) open(ctx context.Context, config *gmail.Config) error {
	if k.signer == nil {
		slot, err := piv.ParseSlot(k.slot)
		if err != nil {
			return usage.Errorf("--key-slot: %w", err)
		}
		if k.serial == 0 { // known by now, so that it is taken for no user's card
			only, err := piv.Open(ctx, 0, piv.Options{})
			if err != nil {
				return fmt.Errorf("the card with the service account's key: %w", err)
			}
			k.serial = only.Identity().Serial
		}
		pin, err := k.askPIN(ctx)
		if err != nil {
			return err
		}
		k.signer = &cardSigner{ctx: ctx, serial: k.serial, slot: slot, pin: pin}
	}
	config.ServiceAccount, config.Signer = k.account, k.signer
	config.SignerName = fmt.Sprintf("card %d, slot %s", k.serial, k.signer.slot)
	return nil
}

// askPIN reads the PIN from where the flags say, or asks a person.
func (k *accountKey) askPIN(ctx context.Context) (secret.Secret, error) {
	if k.pin.given() {
		return k.pin.Read(ctx)
	}
	const what = "the PIN of the card with the service account's key"
	missing := &failure.MissingSecretError{What: what, Flag: k.pin.Name}
	if k.unattended {
		return secret.Secret{}, missing
	}
	terminal, err := prompt.Open()
	if err != nil {
		return secret.Secret{}, missing
	}
	defer terminal.Close()
	return terminal.Secret(ctx, enroll.SecretQuestion{Question: enroll.Question{Text: "The PIN of the card with the service account's key"}})
}

// cardSigner signs with a key on a card, which is let go of each time, so that it is not
// kept from other programs and may leave its reader meanwhile. A refused PIN is not
// tried again.
type cardSigner struct {
	ctx    context.Context
	serial uint32
	slot   piv.Slot
	pin    secret.Secret

	mu      sync.Mutex
	refused error // with the PIN
}

// Public returns nil: the card is asked only when it signs.
func (s *cardSigner) Public() crypto.PublicKey { return nil }

// Sign signs a digest with PKCS #1 v1.5. Errors: those of piv.Open and of a piv.Card's
// signer, and errNotRSA.
func (s *cardSigner) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) (signature []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil {
		return nil, s.refused
	}
	err = UseCard(s.ctx, s.serial, func(card *piv.Card) error {
		contents, err := card.Slot(s.ctx, s.slot)
		if err != nil {
			return err
		}
		if contents.Key == nil {
			return fmt.Errorf("slot %s of card %d: %w", s.slot, s.serial, piv.ErrEmptySlot)
		}
		if _, isRSA := contents.Key.PublicKey.(*rsa.PublicKey); !isRSA {
			return fmt.Errorf("slot %s of card %d: %w", s.slot, s.serial, errNotRSA)
		}
		signature, err = card.Signer(s.ctx, s.slot, contents.Key.PublicKey, s.pin).Sign(random, digest, options)
		return err
	})
	if failure.Is[*piv.WrongPINError](err) {
		s.refused = err
	}
	return signature, err
}

// errNotRSA is returned for a key that Google takes for no service account.
var errNotRSA = errors.New("the key is not RSA, which the key of a service account has to be")

// signsWith reports whether the card with that serial number signs for the service account.
func (k *accountKey) signsWith(serial uint32) bool {
	return k.signer != nil && serial == k.signer.serial
}
