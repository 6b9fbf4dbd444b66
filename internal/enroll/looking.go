package enroll

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"errors"
	"io"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// What a preview works on: everything outside, with which it can look and cannot
// act.

// errOnlyLooking is what a preview gets where a run would act.
var errOnlyLooking = errors.New("nothing is changed in a preview")

// lookingOnly returns the world for a preview, whose person is asked nothing.
func lookingOnly(deps Dependencies, prompter Prompter) Dependencies {
	openCard, account := deps.OpenCard, deps.Account
	deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (Card, error) {
		card, err := openCard(ctx, serial, touch)
		if err != nil {
			return nil, err
		}
		return lookingCard{card}, nil
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) {
		opened, err := account(ctx, email)
		if err != nil {
			return nil, err
		}
		return lookingAccount{opened}, nil
	}
	deps.Review = func(context.Context, Review) error { return errOnlyLooking }
	deps.Prompter = prompter
	if deps.Ledger != nil {
		deps.Ledger = lookingLedger{deps.Ledger}
	}
	if deps.Escrow != nil {
		deps.Escrow = lookingEscrow{deps.Escrow}
	}
	return deps
}

// lookingCard is a card of which everything can be read that takes no PIN.
type lookingCard struct{ Card }

// AllowLastTry allows nothing: no try is made.
func (c lookingCard) AllowLastTry() Card { return c }

// VerifyPIN tries no PIN. Where a try would be the last one, it says so.
func (c lookingCard) VerifyPIN(ctx context.Context, _ secret.Secret) error {
	protection, err := c.Protection(ctx)
	switch {
	case err != nil:
		return err
	case protection.PIN.Tries == 1:
		return &piv.LastTryError{Reference: "PIN"}
	}
	return errOnlyLooking
}

func (lookingCard) ChangePIN(context.Context, secret.Secret, secret.Secret) error {
	return errOnlyLooking
}

func (lookingCard) ChangePUK(context.Context, secret.Secret, secret.Secret) error {
	return errOnlyLooking
}

func (lookingCard) ChangeManagementKey(context.Context, secret.Secret, secret.Secret) error {
	return errOnlyLooking
}

func (lookingCard) Generate(context.Context, secret.Secret, piv.Slot, piv.GenerateOptions) (crypto.PublicKey, error) {
	return nil, errOnlyLooking
}

func (lookingCard) PutCertificate(context.Context, secret.Secret, piv.Slot, *x509.Certificate) error {
	return errOnlyLooking
}

func (lookingCard) RefreshCHUID(context.Context, secret.Secret) error { return errOnlyLooking }

func (lookingCard) Signer(_ context.Context, _ piv.Slot, public crypto.PublicKey, _ secret.Secret) crypto.Signer {
	return lookingSigner{public}
}

func (lookingCard) Decrypt(context.Context, piv.Slot, crypto.PublicKey, secret.Secret, []byte) ([]byte, error) {
	return nil, errOnlyLooking
}

func (lookingCard) ECDH(context.Context, piv.Slot, crypto.PublicKey, secret.Secret, *ecdh.PublicKey) ([]byte, error) {
	return nil, errOnlyLooking
}

type lookingSigner struct{ public crypto.PublicKey }

func (s lookingSigner) Public() crypto.PublicKey { return s.public }

func (lookingSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errOnlyLooking
}

// lookingAccount is an account at Gmail that can be read.
type lookingAccount struct{ registration.Account }

func (lookingAccount) CreateKeyPair(context.Context, []gmail.KeyPair, gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	return gmail.KeyPair{}, false, errOnlyLooking
}

func (lookingAccount) CreateIdentity(context.Context, gmail.Identity) (gmail.Identity, error) {
	return gmail.Identity{}, errOnlyLooking
}

func (lookingAccount) PatchIdentity(context.Context, gmail.Identity) (gmail.Identity, error) {
	return gmail.Identity{}, errOnlyLooking
}

// lookingLedger is not tried beforehand, because that writes.
type lookingLedger struct{ Ledger }

// lookingEscrow takes nothing in, and is not tried beforehand, because that writes.
type lookingEscrow struct{ escrow.Store }

func (lookingEscrow) Put(context.Context, escrow.Record) (string, error) { return "", errOnlyLooking }

// askedSecrets notes the secrets that a person would be asked for, and asks for
// none. Every other question finds nobody.
type askedSecrets struct {
	Unattended
	run   Prompter // that the run would have
	texts []string
}

// Secret goes on with a PIN of its own, which nothing is done with. Other secrets
// decide what comes next, so that nothing more can be told.
func (a *askedSecrets) Secret(ctx context.Context, question SecretQuestion) (secret.Secret, error) {
	if _, nobody := a.run.(Unattended); nobody {
		return a.Unattended.Secret(ctx, question)
	}
	a.texts = append(a.texts, question.Text)
	if question.ID == QuestionPIN {
		return secret.FromString("not tried"), nil
	}
	return secret.Secret{}, errOnlyLooking
}
