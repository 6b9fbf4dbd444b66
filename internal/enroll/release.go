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

// releasing returns dependencies whose slow parts are asked after a call of release.
func releasing(deps Dependencies, release func(context.Context)) Dependencies {
	waitForCard, account, recoverKeys, review := deps.WaitForCard, deps.Account, deps.Recover, deps.Review
	deps.WaitForCard = func(ctx context.Context, serial uint32) error {
		release(ctx)
		return waitForCard(ctx, serial)
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) {
		release(ctx)
		opened, err := account(ctx, email)
		return releasingAccount{opened, release}, err
	}
	if enable := deps.EnableKeyPair; enable != nil {
		deps.EnableKeyPair = func(ctx context.Context, email, keyPairID string) error {
			release(ctx)
			return enable(ctx, email, keyPairID)
		}
	}
	if recoverKeys != nil {
		deps.Recover = func(ctx context.Context, serial uint32) ([]escrow.Record, error) {
			release(ctx)
			return recoverKeys(ctx, serial)
		}
	}
	if review != nil {
		deps.Review = func(ctx context.Context, shown Review) error {
			release(ctx)
			return review(ctx, shown)
		}
	}
	if deps.Issuer != nil {
		releasing := releasingIssuer{deps.Issuer, release}
		if chainer, ok := deps.Issuer.(issuer.Chainer); ok {
			deps.Issuer = releasingChainer{releasing, chainer}
		} else {
			deps.Issuer = releasing
		}
	}
	deps.Prompter = releasingPrompter{deps.Prompter, release}
	return deps
}

type releasingIssuer struct {
	issuer.Issuer
	release func(context.Context)
}

func (p releasingIssuer) Issue(ctx context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	p.release(ctx)
	return p.Issuer.Issue(ctx, request)
}

// Preview asks nobody.
func (p releasingIssuer) Preview(request issuer.Request, public crypto.PublicKey) error {
	if previewer, ok := p.Issuer.(issuer.Previewer); ok {
		return previewer.Preview(request, public)
	}
	return nil
}

type releasingChainer struct {
	releasingIssuer
	chainer issuer.Chainer
}

func (p releasingChainer) Chain(ctx context.Context) ([]*x509.Certificate, error) {
	p.release(ctx)
	return p.chainer.Chain(ctx)
}

type releasingAccount struct {
	registration.Account
	release func(context.Context)
}

func (p releasingAccount) KeyPairs(ctx context.Context) ([]gmail.KeyPair, error) {
	p.release(ctx)
	return p.Account.KeyPairs(ctx)
}

func (p releasingAccount) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, want gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	p.release(ctx)
	return p.Account.CreateKeyPair(ctx, known, want)
}

func (p releasingAccount) Identity(ctx context.Context) (gmail.Identity, error) {
	p.release(ctx)
	return p.Account.Identity(ctx)
}

func (p releasingAccount) CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	p.release(ctx)
	return p.Account.CreateIdentity(ctx, want)
}

func (p releasingAccount) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	p.release(ctx)
	return p.Account.PatchIdentity(ctx, want)
}

type releasingPrompter struct {
	Prompter
	release func(context.Context)
}

func (p releasingPrompter) Choose(ctx context.Context, question Question, choices []Choice) (string, error) {
	p.release(ctx)
	return p.Prompter.Choose(ctx, question, choices)
}

func (p releasingPrompter) Secret(ctx context.Context, question SecretQuestion) (secret.Secret, error) {
	p.release(ctx)
	return p.Prompter.Secret(ctx, question)
}

func (p releasingPrompter) Confirm(ctx context.Context, question Question) (bool, error) {
	p.release(ctx)
	return p.Prompter.Confirm(ctx, question)
}

func (p releasingPrompter) TypedConfirm(ctx context.Context, question Question, want string) error {
	p.release(ctx)
	return p.Prompter.TypedConfirm(ctx, question, want)
}
