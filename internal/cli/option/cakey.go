package option

import (
	"context"
	"crypto"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// CAKey is the flags that say where the key of a local CA is, and what opens it.
type CAKey struct {
	Name     string
	password *Secret
	MayAsk   bool
}

// Add adds the flags; what says whose key it is.
func (f *CAKey) Add(flags *pflag.FlagSet, what string) {
	flags.StringVar(&f.Name, "ca-key", "", "`file|URI` of "+what+": PEM, encrypted or not, or a key in a token (pkcs11:module-path=FILE;token=NAME;object=NAME) or on a YubiKey (yubikey:serial=N;slot-id=9c), with the file of its PIN as ?pin-source=FILE")
	f.password = AddSecret(flags, "ca-key-password", "the password of the CA key's file, or the PIN of its token or YubiKey")
	setting.Mark(flags, "ca-key")
}

// Open opens the key with that path or URI.
func (f *CAKey) Open(ctx context.Context, name string) (*ca.Key, error) {
	return ca.OpenKey(ctx, name, f.Opening())
}

// Opening returns what opens the key.
func (f *CAKey) Opening() ca.Opening { return ca.Opening{Password: f.ask, Card: openCardKey} }

// ask reads the password from where the flags say, once, or asks a person.
func (f *CAKey) ask(ctx context.Context, what string, wrong bool) (secret.Secret, error) {
	if f.password.given() && !wrong {
		return f.password.Read(ctx)
	}
	if f.password.given() || !f.MayAsk {
		return secret.Secret{}, fmt.Errorf("the %s: %w", what, ca.ErrKeyPassword)
	}
	terminal, err := prompt.Open()
	if err != nil {
		return secret.Secret{}, fmt.Errorf("the %s: %w", what, ca.ErrKeyPassword)
	}
	defer terminal.Close()
	question := enroll.SecretQuestion{Question: enroll.Question{Text: "The " + what}}
	if wrong {
		question.Problem = "this password does not open the key"
	}
	return terminal.Secret(ctx, question)
}

// openCardKey opens a CA's key on a YubiKey.
func openCardKey(ctx context.Context, serial uint32, name string, pin secret.Secret) (crypto.Signer, func() error, error) {
	slot, err := piv.ParseSlot(name)
	if err != nil {
		return nil, nil, usage.Errorf("--ca-key: %w", err)
	}
	opened, err := piv.Open(ctx, serial, piv.Options{})
	if err != nil {
		return nil, nil, err
	}
	release := func() error { return opened.Release(context.WithoutCancel(ctx)) }
	contents, err := opened.Slot(ctx, slot)
	if err != nil {
		return nil, nil, err
	}
	if contents.Key == nil {
		_ = release()
		return nil, nil, fmt.Errorf("slot %s: %w", slot, piv.ErrEmptySlot)
	}
	return opened.Signer(ctx, slot, contents.Key.PublicKey, pin), release, nil
}
