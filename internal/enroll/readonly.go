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

// errReadOnly is what a preview gets where a run would act.
var errReadOnly = errors.New("nothing is changed in a preview")

// readOnly returns the dependencies of a preview, whose person is asked nothing.
func readOnly(deps Dependencies, prompter Prompter) Dependencies {
	openCard, account := deps.OpenCard, deps.Account
	deps.OpenCard = func(ctx context.Context, serial uint32, touch func(piv.Slot)) (Card, error) {
		card, err := openCard(ctx, serial, touch)
		if err != nil {
			return nil, err
		}
		return readOnlyCard{card}, nil
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) {
		opened, err := account(ctx, email)
		if err != nil {
			return nil, err
		}
		return readOnlyAccount{opened}, nil
	}
	deps.Review = func(context.Context, Review) error { return errReadOnly }
	deps.Prompter = prompter
	if deps.Ledger != nil {
		deps.Ledger = readOnlyLedger{deps.Ledger}
	}
	if deps.Escrow != nil {
		deps.Escrow = readOnlyEscrow{deps.Escrow}
	}
	return deps
}

// readOnlyCard is a card of which everything can be read that takes no PIN.
type readOnlyCard struct{ Card }

// AllowLastTry allows nothing: no try is made.
func (c readOnlyCard) AllowLastTry() Card { return c }

// VerifyPIN tries no PIN. Where a try would be the last one, it says so.
func (c readOnlyCard) VerifyPIN(ctx context.Context, _ secret.Secret) error {
	protection, err := c.Protection(ctx)
	switch {
	case err != nil:
		return err
	case protection.PIN.Tries == 1:
		return &piv.LastTryError{Reference: "PIN"}
	}
	return errReadOnly
}

func (readOnlyCard) ChangePIN(context.Context, secret.Secret, secret.Secret) error {
	return errReadOnly
}

func (readOnlyCard) ChangePUK(context.Context, secret.Secret, secret.Secret) error {
	return errReadOnly
}

func (readOnlyCard) ChangeManagementKey(context.Context, secret.Secret, secret.Secret) error {
	return errReadOnly
}

func (readOnlyCard) CheckPrinted(context.Context, secret.Secret) error { return errReadOnly }

func (readOnlyCard) ProtectedManagementKey(context.Context, secret.Secret) (secret.Secret, error) {
	return secret.Secret{}, errReadOnly
}

func (readOnlyCard) ProtectManagementKey(context.Context, secret.Secret, secret.Secret, secret.Secret) error {
	return errReadOnly
}

func (readOnlyCard) Generate(context.Context, secret.Secret, piv.Slot, piv.GenerateOptions) (crypto.PublicKey, error) {
	return nil, errReadOnly
}

func (readOnlyCard) ImportKey(context.Context, secret.Secret, piv.Slot, crypto.Signer, piv.ImportOptions) error {
	return errReadOnly
}

func (readOnlyCard) PutCertificate(context.Context, secret.Secret, piv.Slot, *x509.Certificate) error {
	return errReadOnly
}

func (readOnlyCard) DeleteCertificate(context.Context, secret.Secret, piv.Slot) error {
	return errReadOnly
}

func (readOnlyCard) MoveKey(context.Context, secret.Secret, piv.Slot, piv.Slot) error {
	return errReadOnly
}

func (readOnlyCard) WriteKeyHistory(context.Context, secret.Secret) error { return errReadOnly }

func (readOnlyCard) RefreshCHUID(context.Context, secret.Secret) error { return errReadOnly }

func (readOnlyCard) SetRetries(context.Context, secret.Secret, secret.Secret, int, int) error {
	return errReadOnly
}

func (readOnlyCard) EnsureCHUID(context.Context, secret.Secret) error { return errReadOnly }

func (readOnlyCard) Signer(_ context.Context, _ piv.Slot, public crypto.PublicKey, _ secret.Secret) crypto.Signer {
	return readOnlySigner{public}
}

func (readOnlyCard) Decrypt(context.Context, piv.Slot, crypto.PublicKey, secret.Secret, []byte) ([]byte, error) {
	return nil, errReadOnly
}

func (readOnlyCard) ECDH(context.Context, piv.Slot, crypto.PublicKey, secret.Secret, *ecdh.PublicKey) ([]byte, error) {
	return nil, errReadOnly
}

type readOnlySigner struct{ public crypto.PublicKey }

func (s readOnlySigner) Public() crypto.PublicKey { return s.public }

func (readOnlySigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errReadOnly
}

// readOnlyAccount is an account at Gmail that can be read.
type readOnlyAccount struct{ registration.Account }

func (readOnlyAccount) CreateKeyPair(context.Context, []gmail.KeyPair, gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	return gmail.KeyPair{}, false, errReadOnly
}

func (readOnlyAccount) CreateIdentity(context.Context, gmail.Identity) (gmail.Identity, error) {
	return gmail.Identity{}, errReadOnly
}

func (readOnlyAccount) PatchIdentity(context.Context, gmail.Identity) (gmail.Identity, error) {
	return gmail.Identity{}, errReadOnly
}

// readOnlyLedger can be read.
type readOnlyLedger struct{ Ledger }

// Check tells what can be told without writing.
func (l readOnlyLedger) Check(ctx context.Context) error {
	if can, ok := l.Ledger.(interface{ Look(context.Context) error }); ok {
		return can.Look(ctx)
	}
	return nil
}

// readOnlyEscrow takes nothing in, and is not tried beforehand, because that writes.
type readOnlyEscrow struct{ escrow.Store }

func (readOnlyEscrow) Put(context.Context, escrow.Record) (string, error) { return "", errReadOnly }

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
	return secret.Secret{}, errReadOnly
}
