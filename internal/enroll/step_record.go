package enroll

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// ErrFactorySecret is returned for a card that still has a secret that everybody knows.
var ErrFactorySecret = errors.New("the card still has a factory PIN, PUK or management key")

// recordStep makes sure that no factory secret is left, enters the registration
// into the ledger, and writes what the user takes along and the receipt: where there is one, everything is done.
func recordStep() Step {
	return Step{ID: "record", Title: "write the receipt", Kind: KindChange, Changes: changesFiles,
		needs: func(e *enrollment) bool { return e.evidence.folder != nil && e.identity.outcome != nil },
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			if entered, err := e.isEntered(ctx); err != nil || !entered {
				return false, err
			}
			puk, err := e.checkNoFactorySecret(ctx)
			if errors.Is(err, ErrFactorySecret) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			written, err := e.writtenReceipt()
			if err != nil || written == nil || !reflect.DeepEqual(written.Receipt, e.makeReceipt(puk)) {
				return false, err
			}
			if told, err := e.evidence.folder.Read(evidence.ForUserName); err != nil || told == nil {
				return false, err
			}
			e.receipt = &written.Receipt
			return true, nil
		},
		act: func(ctx context.Context, e *enrollment) error {
			puk, err := e.checkNoFactorySecret(ctx)
			if err != nil {
				return err
			}
			e.markInForce()
			if err := e.enterLedger(ctx); err != nil {
				return err
			}
			e.noteCHUID(ctx)
			earlier, err := e.writtenReceipt()
			if err != nil {
				return err
			}
			audited := e.audited(puk)
			if earlier != nil {
				if reflect.DeepEqual(earlier.Receipt, audited.Receipt) { // it says when and by whom it was done
					return e.writeForUser(earlier.Receipt, earlier.Finished)
				}
				if err := e.writeReceipt("receipt-"+earlier.Finished.Format("20060102T150405Z")+".json", *earlier); err != nil {
					return err
				}
			}
			if err := e.writeForUser(audited.Receipt, audited.Finished); err != nil {
				return err
			}
			return e.writeReceipt(evidence.ReceiptName, audited)
		}}
}

// checkNoFactorySecret returns ErrFactorySecret for a card that has a secret that
// everybody knows and that can be used, and else whether its PUK is the factory one, as far as anybody knows.
func (e *enrollment) checkNoFactorySecret(ctx context.Context) (puk piv.Tri, err error) {
	protection, err := e.card.Protection(ctx)
	if err == nil && (protection.PIN.Factory == piv.Yes || protection.PUK.Factory == piv.Yes && protection.PUK.Tries != 0 || protection.ManagementKey.Factory == piv.Yes) {
		err = ErrFactorySecret
	}
	return e.factoryPUK(protection), err
}

// writtenReceipt returns the receipt that is in the folder; nil for none.
func (e *enrollment) writtenReceipt() (*auditedReceipt, error) {
	data, err := e.evidence.folder.Read(evidence.ReceiptName)
	if err != nil || data == nil {
		return nil, err
	}
	var earlier auditedReceipt
	if err := json.Unmarshal(data, &earlier); err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.evidence.folder.File(evidence.ReceiptName), err)
	}
	if earlier.Email == "" {
		// Receipts had another name for it once.
		var old struct{ User string }
		if err := json.Unmarshal(data, &old); err != nil {
			return nil, fmt.Errorf("reading %s: %w", e.evidence.folder.File(evidence.ReceiptName), err)
		}
		earlier.Email = old.User
	}
	return &earlier, nil
}

func (e *enrollment) writeReceipt(name string, receipt auditedReceipt) error {
	var data bytes.Buffer
	if err := safetext.EncodeJSON(&data, receipt, "  "); err != nil {
		return err
	}
	return e.evidence.folder.Write(name, data.Bytes())
}

// isEntered reports whether the ledger has the registration, if there is a ledger.
func (e *enrollment) isEntered(ctx context.Context) (bool, error) {
	if e.deps.Ledger == nil {
		return true, nil
	}
	has, err := e.deps.Ledger.Has(ctx, e.entry(), e.onCard())
	return has, e.notEntered(err)
}

// enterLedger enters the registration into the ledger, if there is one.
func (e *enrollment) enterLedger(ctx context.Context) error {
	if e.deps.Ledger == nil {
		return nil
	}
	return e.notEntered(e.deps.Ledger.Enter(ctx, e.entry(), e.onCard()))
}

// NotEnteredError is returned where somebody is registered at Gmail, and the ledger does not say so
// yet: the same enrollment again enters it.
type NotEnteredError struct {
	Email string
	Err   error // why not
}

// Error says what is done and what is left.
func (e *NotEnteredError) Error() string {
	return fmt.Sprintf("%s is registered at Gmail with this card; only the ledger does not say so yet: %v", e.Email, e.Err)
}

// Unwrap returns the cause.
func (e *NotEnteredError) Unwrap() error { return e.Err }

func (e *enrollment) notEntered(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &NotEnteredError{e.request.Email, err}
}

func (e *enrollment) entry() ledger.Entry {
	entry := ledger.Entry{Email: e.request.Email, Where: fmt.Sprintf("card %d", e.request.Serial), Worker: e.deps.Operator}
	for i, key := range e.keys {
		registered := e.identity.outcome.Keys[i]
		entry.Pairs = append(entry.Pairs, ledger.Pair{
			Use: key.Use, LeafSHA256: certificate.Fingerprint(key.leaf), NotAfter: key.leaf.NotAfter, Description: e.describe(key),
			PKCS7: key.pkcs7, KeyPairID: registered.Pair.ID, Created: registered.Created,
		})
	}
	return entry
}

// onCard says which certificates the card has for the user, also in the retired slots that a
// renewal moved keys to.
func (e *enrollment) onCard() (cards []ledger.CardCertificate) {
	for i, key := range e.keys {
		cards = append(cards, ledger.CardCertificate{Email: e.request.Email, Serial: e.request.Serial, Slot: key.Slot.String(), Use: key.Use,
			LeafSHA256: certificate.Fingerprint(key.leaf), NotAfter: key.leaf.NotAfter, KeyPairID: e.identity.outcome.Keys[i].Pair.ID, State: ledger.CardInUse})
		if e.renewal.of == nil {
			continue
		}
		old := e.oldKey(key)
		if leaf, err := e.renewedLeaf(key); err == nil && leaf != nil && old.MovedTo != "" && certificate.Fingerprint(leaf) == old.Certificate {
			cards = append(cards, ledger.CardCertificate{Email: e.request.Email, Serial: e.request.Serial, Slot: old.MovedTo, Use: key.Use,
				LeafSHA256: old.Certificate, NotAfter: leaf.NotAfter, State: ledger.CardSuperseded})
		}
	}
	return append(cards, e.copiesOnCard(cards)...)
}

// copiesOnCard says which of the copies of old keys the card has, but for those that a renewal left
// there.
func (e *enrollment) copiesOnCard(known []ledger.CardCertificate) (cards []ledger.CardCertificate) {
	for _, entry := range e.request.Copies {
		leaf := certificate.Fingerprint(entry.Certificate)
		if !slices.ContainsFunc(known, func(card ledger.CardCertificate) bool { return card.LeafSHA256 == leaf }) {
			cards = append(cards, ledger.CardCertificate{Email: e.request.Email, Serial: e.request.Serial, Slot: entry.Slot.String(), Use: certificate.UseHistory,
				LeafSHA256: leaf, NotAfter: entry.Certificate.NotAfter, Origin: string(piv.Imported), State: ledger.CardInUse})
		}
	}
	return cards
}
