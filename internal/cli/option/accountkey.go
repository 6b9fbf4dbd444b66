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
	account, slot          string
	serial                 uint32
	pin                    *Secret
	unattended, asksNobody bool
	signer                 *cardSigner // once it was opened
}

func (k *accountKey) add(flags *pflag.FlagSet) {
	flags.StringVar(&k.account, "service-account", "", "`address` of the service account with domain-wide delegation, whose RSA key is on a YubiKey of the operator's")
	flags.StringVar(&k.slot, "key-slot", "9a", "`slot` of the service account's key")
	flags.Var((*serialFlag)(&k.serial), "key-serial", "which YubiKey has the service account's key (default the only one)")
	k.pin = AddSecret(flags, "key-pin", "the PIN of the YubiKey with the service account's key")
	setting.Mark(flags, "key-slot", "key-serial")
}

// open has the card sign for the service account until the context ends. Where nobody is asked
// anything, the card is looked for when it signs, and a PIN that is not given is missed then.
func (k *accountKey) open(ctx context.Context, config *gmail.Config) error {
	if k.signer == nil {
		slot, err := piv.ParseSlot(k.slot)
		if err != nil {
			return usage.Errorf("--key-slot: %w", err)
		}
		if k.serial == 0 && !k.asksNobody { // known by now, so that it is taken for no user's card
			only, err := piv.Open(ctx, 0, piv.Options{})
			if err != nil {
				return fmt.Errorf("the card with the service account's key: %w", err)
			}
			k.serial = only.Identity().Serial
		}
		signer := &cardSigner{ctx: ctx, KeyCard: KeyCard{Serial: k.serial, Slot: slot}}
		if signer.pin, err = k.askPIN(ctx, signer.KeyCard); k.asksNobody && failure.Is[*failure.MissingSecretError](err) {
			signer.refused, err = err, nil
		}
		if err != nil {
			return err
		}
		k.signer = signer
	}
	config.ServiceAccount, config.Signer, config.SignerName = k.account, k.signer, k.signer.String()
	return nil
}

// askPIN reads the PIN from where the flags say, or asks a person, who is shown how many tries are left. Nobody
// is asked for the PIN of a card on which it is blocked, or that would not be given its last try.
func (k *accountKey) askPIN(ctx context.Context, card KeyCard) (secret.Secret, error) {
	if k.pin.given() {
		return k.pin.Read(ctx)
	}
	const what = "the PIN of the card with the service account's key"
	missing := &failure.MissingSecretError{What: what, Flag: k.pin.Name}
	if k.unattended || k.asksNobody {
		return secret.Secret{}, missing
	}
	terminal, err := prompt.Open()
	if err != nil {
		return secret.Secret{}, missing
	}
	defer terminal.Close()
	question := enroll.SecretQuestion{Question: enroll.Question{Text: "The PIN of the card with the service account's key"}, Tries: piv.UnknownTries}
	key, err := card.Read(ctx)
	switch {
	case errors.Is(err, piv.ErrPINBlocked):
		return secret.Secret{}, err
	case err != nil: // it may be put in later, and what is wrong is told when it signs
	case key.PIN.Tries == 1:
		return secret.Secret{}, signerError(&piv.LastTryError{Reference: "PIN"})
	default:
		question.Tries = key.PIN.Tries
	}
	return terminal.Secret(ctx, question)
}

// cardSigner signs with a key on a card, which is let go of each time, so that it is not
// kept from other programs and may leave its reader meanwhile. A refused PIN is not
// tried again.
type cardSigner struct {
	KeyCard
	ctx context.Context
	pin secret.Secret

	mu      sync.Mutex
	refused error // with the PIN, or because there is none
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
	err = s.use(s.ctx, func(card *piv.Card, key *rsa.PublicKey) error {
		signature, err = card.Signer(s.ctx, s.Slot, key, s.pin).Sign(random, digest, options)
		return err
	})
	if failure.Is[*piv.WrongPINError](err) {
		s.refused = err
	}
	return signature, err
}

// KeyCard says where a service account's key is.
type KeyCard struct {
	Serial uint32 // of the card; 0 for the only one
	Slot   piv.Slot
}

// String names the card and the slot.
func (c KeyCard) String() string {
	if c.Serial == 0 {
		return fmt.Sprintf("the only card, slot %s", c.Slot)
	}
	return fmt.Sprintf("card %d, slot %s", c.Serial, c.Slot)
}

// use opens the card for some work with the key. Errors besides the work's: those of piv.Open and
// of reading the slot, and errNotRSA.
func (c KeyCard) use(ctx context.Context, work func(*piv.Card, *rsa.PublicKey) error) error {
	return UseCard(ctx, c.Serial, func(card *piv.Card) error {
		at := KeyCard{Serial: card.Identity().Serial, Slot: c.Slot}
		contents, err := card.Slot(ctx, c.Slot)
		if err != nil {
			return err
		}
		if contents.Key == nil {
			return fmt.Errorf("slot %s of card %d: %w", at.Slot, at.Serial, piv.ErrEmptySlot)
		}
		key, isRSA := contents.Key.PublicKey.(*rsa.PublicKey)
		if !isRSA {
			return fmt.Errorf("slot %s of card %d: %w", at.Slot, at.Serial, errNotRSA)
		}
		return work(card, key)
	})
}

// AccountKey is a service account's key as it is on its card.
type AccountKey struct {
	KeyCard
	Public *rsa.PublicKey
	PIN    piv.Counter // of the card
}

// Read looks at the key, and gives the card no PIN. Its errors are a *gmail.Error about the signer.
func (c KeyCard) Read(ctx context.Context) (key AccountKey, err error) {
	err = c.use(ctx, func(card *piv.Card, public *rsa.PublicKey) error {
		protection, err := card.Protection(ctx)
		key = AccountKey{KeyCard{card.Identity().Serial, c.Slot}, public, protection.PIN}
		if err == nil && key.PIN.Tries == 0 {
			err = piv.ErrPINBlocked
		}
		return err
	})
	if err != nil {
		return key, signerError(err)
	}
	return key, nil
}

// signerError is an error about who signs for the service account.
func signerError(err error) *gmail.Error {
	return &gmail.Error{Method: "credentials", Kind: gmail.KindCredentials, Detail: gmail.DetailSigner, Message: err.Error(), Err: err}
}

// errNotRSA is returned for a key that Google takes for no service account.
var errNotRSA = errors.New("the key is not RSA, which the key of a service account has to be")

// signsWith reports whether the card with that serial number signs for the service account.
func (k *accountKey) signsWith(serial uint32) bool {
	return k.signer != nil && (serial == k.signer.Serial || k.signer.Serial == 0)
}
