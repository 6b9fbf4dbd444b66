package task

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// History registers the retired keys of a user's card at Gmail, for old mail to be read.
type History struct {
	Gmail  option.Gmail
	Store  option.Store // whose ledger is told
	Serial uint32       // of the card; 0 for the only one
	// Authorities are certificates to build chains with.
	Authorities []*x509.Certificate
	DryRun      bool
	Desk        bool // somebody at a desk is told what to do
}

// RegisteredHistory is what became of the retired keys of a card; the JSON names are a contract.
type RegisteredHistory struct {
	Email  string          `json:"email"`
	Serial uint32          `json:"serial"` // of the card
	DryRun bool            `json:"dry_run"`
	Keys   []RegisteredKey `json:"keys"` // in retired slots
}

// RegisteredKey is what became of one key; the JSON names are a contract.
type RegisteredKey struct {
	Slot       piv.Slot  `json:"slot"`
	LeafSHA256 string    `json:"leaf_sha256,omitempty"`
	NotAfter   time.Time `json:"not_after,omitzero"`
	// Outcome is registered (would be, in a dry run), already, or left.
	Outcome   string `json:"outcome"`
	KeyPairID string `json:"key_pair_id,omitempty"`
	Left      string `json:"left,omitempty"` // why it is not registered
}

// The outcomes of one key.
const (
	KeyRegistered = "registered"
	KeyAlready    = "already"
	KeyLeft       = "left"
)

// Text says what became of the key.
func (k RegisteredKey) Text(dryRun bool) string {
	switch {
	case k.Outcome == KeyRegistered && dryRun:
		return "would be registered for history"
	case k.Outcome == KeyRegistered:
		return "is registered for history as key pair " + k.KeyPairID
	case k.Outcome == KeyAlready:
		return "is registered already as key pair " + k.KeyPairID
	}
	return "is left: " + k.Left
}

// enterLimit is how long entering what was done may take after an interrupt.
const enterLimit = option.Wait + 5*time.Second

// Register registers what is in the card's retired slots. What is registered already stays. With an
// error it returns, and enters into the ledger, what was done before it.
func (h *History) Register(ctx context.Context, messages io.Writer, email string) (done RegisteredHistory, err error) {
	user, err := h.Gmail.User(ctx, messages, email)
	if err != nil {
		return done, err
	}
	var keys []registered.OldKey
	err = option.UseCard(ctx, h.Serial, func(card *piv.Card) error {
		history, err := card.History(ctx)
		if err != nil {
			return err
		}
		if problem := history.Problem(); problem != nil {
			stdio.Note(messages, problem.Error()+"; "+hint.ForKeyHistory(h.Desk))
		}
		done.Serial = card.Identity().Serial
		keys, err = registered.OldKeys(email, card.Identity(), history, certpath.NewPool(h.Authorities), time.Now())
		return err
	})
	if err != nil {
		return done, err
	}
	done.Email, done.DryRun, done.Keys = email, h.DryRun, []RegisteredKey{}
	if !h.DryRun {
		if err := h.Store.CheckWritable(ctx, messages); err != nil {
			return done, err
		}
	}
	begun, err := registration.Begin(ctx, user, email, registration.Hooks{})
	if err != nil {
		return done, err
	}
	for _, key := range keys {
		of, err := h.registerKey(ctx, begun, key)
		if err != nil {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), enterLimit)
			defer cancel()
			return done, errors.Join(err, h.enter(ending, done))
		}
		done.Keys = append(done.Keys, of)
	}
	return done, h.enter(ctx, done)
}

// enter enters what is registered into the ledger.
func (h *History) enter(ctx context.Context, done RegisteredHistory) error {
	var old []ledger.CardCertificate
	for _, key := range done.Keys {
		if key.KeyPairID != "" {
			old = append(old, ledger.CardCertificate{Email: done.Email, Serial: done.Serial, Slot: key.Slot.String(),
				LeafSHA256: key.LeafSHA256, NotAfter: key.NotAfter, KeyPairID: key.KeyPairID})
		}
	}
	if h.DryRun || len(old) == 0 {
		return nil
	}
	return h.Store.Write(ctx, option.Wait, func(book *ledger.Ledger) error { return book.EnterHistory(ctx, old) })
}

// registerKey registers one key where Gmail has no key pair for its certificate.
func (h *History) registerKey(ctx context.Context, begun *registration.Registration, key registered.OldKey) (RegisteredKey, error) {
	of := RegisteredKey{Slot: key.Slot, Outcome: KeyLeft, Left: key.Left}
	if key.Leaf != nil {
		of.LeafSHA256, of.NotAfter = certificate.Fingerprint(key.Leaf), key.Leaf.NotAfter.UTC()
	}
	if key.Left != "" {
		return of, nil
	}
	of.Outcome = KeyRegistered
	for _, pair := range begun.KeyPairs() {
		if pair.Has(of.LeafSHA256) && pair.Hardware() {
			of.Outcome, of.KeyPairID = KeyAlready, pair.ID
		}
	}
	if h.DryRun || of.Outcome == KeyAlready {
		return of, nil
	}
	if err := begun.EnsureKeyPair(ctx, registration.Key{
		Use: certificate.UseHistory, LeafSHA256: of.LeafSHA256, PKCS7: key.PKCS7, Description: key.Description,
	}); err != nil {
		if refused, found := errors.AsType[*gmail.Error](err); found && refused.Kind == gmail.KindInvalid {
			of.Outcome, of.Left = KeyLeft, "Gmail does not take its certificate: "+safetext.Message(refused.Message)
			return of, nil
		}
		return of, fmt.Errorf("registering the key in slot %s: %w", key.Slot, err)
	}
	keys := begun.Outcome().Keys
	of.KeyPairID = keys[len(keys)-1].Pair.ID
	return of, nil
}
