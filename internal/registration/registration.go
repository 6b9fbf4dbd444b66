// Package registration makes what Gmail has of one user what is asked for: for
// each certificate a key pair whose private key is on the card, and the identity
// that uses them. It looks first, creates what is missing, puts right what is
// otherwise, and returns what was there, what was made and what is superfluous.
//
// Enrollments and batches register by it. It knows no screen and no ledger.
package registration

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Account is what a registration asks of Gmail for one user; *gmail.User in
// production.
type Account interface {
	// KeyPairs lists all key pairs of the user.
	KeyPairs(ctx context.Context) ([]gmail.KeyPair, error)
	// CreateKeyPair creates one key pair, whatever answers get lost.
	CreateKeyPair(ctx context.Context, known []gmail.KeyPair, want gmail.KeyPairRequest) (pair gmail.KeyPair, created bool, err error)
	// Identity returns the user's identity, or gmail.ErrNotFound.
	Identity(ctx context.Context) (gmail.Identity, error)
	CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error)
	PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error)
}

// Key is a certificate that is to be registered.
type Key struct {
	Use         certificate.Use
	LeafSHA256  string // lower-case hex, of the leaf's DER
	PKCS7       []byte // the chain, leaf to root, PEM-armoured
	Description string // stored with the key pair: which card, which slot
	// Validated is the id of a key pair that the caller created for this key with its
	// chain validated, "" for none: where the identity is refused, that is not why.
	Validated string
}

// Hooks are called in the course of a registration; each may be nil. An error of
// one ends the registration and is returned as it is.
type Hooks struct {
	// Change is called before each call that changes something at Gmail.
	Change func(ctx context.Context) error
	// KeyPair is called when it is known which key pair serves for the key with
	// that index, before the next call. It is called again where another pair takes
	// its place: that of somebody who registered the same certificate at the same
	// time, or one that Gmail accepts where it refused the first.
	KeyPair func(ctx context.Context, index int, pair gmail.KeyPair, created bool) error
}

// Registration is one user's. It is not safe for concurrent use.
type Registration struct {
	account Account
	email   string
	hooks   Hooks

	pairs []gmail.KeyPair // as listed last, with what was created since
	// isNew: there was no key pair, so there is no identity either.
	isNew bool
	// unfit are pairs that no identity takes: created for history, or refused.
	unfit    map[string]bool
	keys     []*key
	identity *gmail.Identity // as seen last, nil for none
	// relied is what the identity was when the caller decided by it, nil for none; it
	// counts where reliesOn says so.
	relied   *gmail.Identity
	reliesOn bool
	change   Change
	isSet    bool // the identity, by EnsureIdentity
}

// key is what became of a Key.
type key struct {
	Key
	pair     gmail.KeyPair
	created  bool   // by this registration, with its chain validated where it has to be
	reported string // the id of the pair that the hook was told of last
}

// Begin lists the key pairs of the user with that primary address. Missing
// delegation, or client-side encryption that is off, shows here; the errors are
// those of gmail.
func Begin(ctx context.Context, account Account, email string, hooks Hooks) (*Registration, error) {
	r := &Registration{account: account, email: email, hooks: hooks, unfit: map[string]bool{}, change: Change{Action: Unchanged}}
	if err := r.list(ctx); err != nil {
		return nil, err
	}
	r.isNew = len(r.pairs) == 0
	return r, nil
}

// Register registers the keys of one user from beginning to end: one for both uses,
// or one to sign and one to encrypt, and any number for history.
func Register(ctx context.Context, account Account, email string, keys []Key, hooks Hooks) (Outcome, error) {
	if err := check(keys); err != nil {
		return Outcome{}, err
	}
	r, err := Begin(ctx, account, email, hooks)
	if err != nil {
		return Outcome{}, err
	}
	for _, key := range keys {
		if err := r.EnsureKeyPair(ctx, key); err != nil {
			return Outcome{}, err
		}
	}
	if err := r.EnsureIdentity(ctx); err != nil {
		return Outcome{}, err
	}
	return r.Outcome(), nil
}

func check(keys []Key) error {
	uses := map[certificate.Use]int{}
	for _, key := range keys {
		switch key.Use {
		case certificate.UseBoth, certificate.UseSign, certificate.UseEncrypt, certificate.UseHistory:
		default:
			return fmt.Errorf("a certificate for %q cannot be registered", key.Use)
		}
		if uses[key.Use]++; uses[key.Use] > 1 && key.Use != certificate.UseHistory {
			return fmt.Errorf("more than one certificate for %q", key.Use)
		}
	}
	if uses[certificate.UseSign] != uses[certificate.UseEncrypt] || uses[certificate.UseSign] > 0 && uses[certificate.UseBoth] > 0 {
		return errors.New("an identity needs one certificate for both uses, or one to sign and one to encrypt")
	}
	return nil
}

func (r *Registration) list(ctx context.Context) error {
	pairs, err := r.account.KeyPairs(ctx)
	if err == nil {
		r.pairs = pairs
	}
	return err
}

// mayChange asks the hook.
func (r *Registration) mayChange(ctx context.Context) error {
	if r.hooks.Change == nil {
		return nil
	}
	return r.hooks.Change(ctx)
}
