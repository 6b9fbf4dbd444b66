package enroll

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// ErrFactorySecret is a card that still has a secret that everybody knows.
var ErrFactorySecret = errors.New("the card still has a factory PIN, PUK or management key")

// recordStep makes sure that no factory secret is left, enters the registration
// into the ledger, and writes the receipt: where there is one, everything is done.
func recordStep() Step {
	return Step{ID: "record", Title: "write the receipt", Kind: KindChange, Changes: changesFiles,
		needs: func(e *Enrollment) bool { return e.folder != nil && e.outcome != nil },
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.receipt != nil {
				return true, nil
			}
			if entered, err := e.isEntered(ctx); err != nil || !entered {
				return false, err
			}
			factory, err := e.factorySecretLeft(ctx)
			if err != nil || factory {
				return false, err
			}
			earlier, err := e.earlierReceipt()
			if err != nil || earlier == nil || !reflect.DeepEqual(earlier.Receipt, e.makeReceipt()) {
				return false, err
			}
			// The earlier one knows when and by whom it was done.
			e.receipt = &earlier.Receipt
			return true, nil
		},
		act: func(ctx context.Context, e *Enrollment) error {
			switch factory, err := e.factorySecretLeft(ctx); {
			case err != nil:
				return err
			case factory:
				return ErrFactorySecret
			}
			e.noteInForce()
			if err := e.enterLedger(ctx); err != nil {
				return err
			}
			earlier, err := e.earlierReceipt()
			if err != nil {
				return err
			}
			audited := e.audited()
			if earlier != nil {
				if reflect.DeepEqual(earlier.Receipt, audited.Receipt) {
					e.receipt = &earlier.Receipt
					return nil
				}
				if err := e.writeReceipt("receipt-"+earlier.Finished.Format("20060102T150405Z")+".json", *earlier); err != nil {
					return err
				}
			}
			if err := e.writeReceipt(evidence.ReceiptName, audited); err != nil {
				return err
			}
			e.receipt = &audited.Receipt
			return nil
		}}
}

// factorySecretLeft reports whether the card has a secret that everybody knows.
func (e *Enrollment) factorySecretLeft(ctx context.Context) (bool, error) {
	protection, err := e.card.Protection(ctx)
	e.secrets.pukFactory = e.factoryPUK(protection)
	return protection.PIN.Factory == piv.Yes || protection.PUK.Factory == piv.Yes || protection.ManagementKey.Factory == piv.Yes, err
}

// earlierReceipt returns the receipt that is in the folder; nil for none.
func (e *Enrollment) earlierReceipt() (*auditedReceipt, error) {
	data, err := e.folder.Read(evidence.ReceiptName)
	if err != nil || data == nil {
		return nil, err
	}
	var earlier auditedReceipt
	if err := json.Unmarshal(data, &earlier); err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.folder.File(evidence.ReceiptName), err)
	}
	return &earlier, nil
}

func (e *Enrollment) writeReceipt(name string, receipt auditedReceipt) error {
	var data bytes.Buffer
	if err := safetext.EncodeJSON(&data, receipt, "  "); err != nil {
		return err
	}
	return e.folder.Write(name, data.Bytes())
}

// isEntered reports whether the ledger has the registration, if there is a ledger.
func (e *Enrollment) isEntered(ctx context.Context) (bool, error) {
	if e.deps.Ledger == nil {
		return true, nil
	}
	return e.deps.Ledger.Has(ctx, e.entry())
}

// enterLedger enters the registration into the ledger, if there is one.
func (e *Enrollment) enterLedger(ctx context.Context) error {
	if e.deps.Ledger == nil {
		return nil
	}
	return e.deps.Ledger.Enter(ctx, e.entry())
}

func (e *Enrollment) entry() ledger.Entry {
	entry := ledger.Entry{Email: e.request.Email, Where: fmt.Sprintf("card %d", e.serial), Worker: e.deps.Operator}
	for i, key := range e.keys {
		registered := e.outcome.Keys[i]
		entry.Pairs = append(entry.Pairs, ledger.Pair{
			Use: key.Use, LeafSHA256: smime.Fingerprint(key.leaf), NotAfter: key.leaf.NotAfter, Description: e.describe(key),
			PKCS7: key.pkcs7, KeyPairID: registered.Pair.ID, Created: registered.Created,
		})
	}
	return entry
}
