package enroll

import (
	"context"
	"crypto"
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// An enrollment's steps share one connection to the card, which keeps other
// programs out. Whatever may take its time, a person who types, an issuer or
// Gmail, is asked with the card let go of, and this is the one place that sees to
// it: the next step connects anew, to a card that has forgotten PIN and
// management key.

// pausing returns the world whose slow parts are asked after a call of letGo.
func pausing(deps Dependencies, letGo func(context.Context)) Dependencies {
	waitForCard, account, recoverKeys, review := deps.WaitForCard, deps.Account, deps.Recover, deps.Review
	deps.WaitForCard = func(ctx context.Context, serial uint32) error {
		letGo(ctx)
		return waitForCard(ctx, serial)
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) {
		letGo(ctx)
		opened, err := account(ctx, email)
		return pausingAccount{opened, letGo}, err
	}
	if recoverKeys != nil {
		deps.Recover = func(ctx context.Context, serial uint32) ([]escrow.Record, error) {
			letGo(ctx)
			return recoverKeys(ctx, serial)
		}
	}
	if review != nil {
		deps.Review = func(ctx context.Context, shown Review) error {
			letGo(ctx)
			return review(ctx, shown)
		}
	}
	if deps.Issuer != nil {
		deps.Issuer = pausingIssuer{deps.Issuer, letGo}
	}
	deps.Prompter = pausingPrompter{deps.Prompter, letGo}
	return deps
}

type pausingIssuer struct {
	issuer.Issuer
	letGo func(context.Context)
}

func (p pausingIssuer) Issue(ctx context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	p.letGo(ctx)
	return p.Issuer.Issue(ctx, request)
}

// Preview asks nobody.
func (p pausingIssuer) Preview(email, slot string, public crypto.PublicKey) error {
	if previewer, ok := p.Issuer.(issuer.Previewer); ok {
		return previewer.Preview(email, slot, public)
	}
	return nil
}

type pausingAccount struct {
	registration.Account
	letGo func(context.Context)
}

func (p pausingAccount) KeyPairs(ctx context.Context) ([]gmail.KeyPair, error) {
	p.letGo(ctx)
	return p.Account.KeyPairs(ctx)
}

func (p pausingAccount) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, want gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	p.letGo(ctx)
	return p.Account.CreateKeyPair(ctx, known, want)
}

func (p pausingAccount) Identity(ctx context.Context) (gmail.Identity, error) {
	p.letGo(ctx)
	return p.Account.Identity(ctx)
}

func (p pausingAccount) CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	p.letGo(ctx)
	return p.Account.CreateIdentity(ctx, want)
}

func (p pausingAccount) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	p.letGo(ctx)
	return p.Account.PatchIdentity(ctx, want)
}

type pausingPrompter struct {
	Prompter
	letGo func(context.Context)
}

func (p pausingPrompter) Choose(ctx context.Context, question Question, choices []Choice) (string, error) {
	p.letGo(ctx)
	return p.Prompter.Choose(ctx, question, choices)
}

func (p pausingPrompter) Secret(ctx context.Context, question SecretQuestion) (secret.Secret, error) {
	p.letGo(ctx)
	return p.Prompter.Secret(ctx, question)
}

func (p pausingPrompter) Confirm(ctx context.Context, question Question) (bool, error) {
	p.letGo(ctx)
	return p.Prompter.Confirm(ctx, question)
}

func (p pausingPrompter) TypedConfirm(ctx context.Context, question Question, want string) error {
	p.letGo(ctx)
	return p.Prompter.TypedConfirm(ctx, question, want)
}
