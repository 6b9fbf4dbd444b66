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
		look: func(_ context.Context, e *Enrollment) (bool, error) { return e.receipt != nil, nil },
		act: func(ctx context.Context, e *Enrollment) error {
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return err
			}
			if protection.PIN.Factory == piv.Yes || protection.PUK.Factory == piv.Yes || protection.ManagementKey.Factory == piv.Yes {
				return ErrFactorySecret
			}
			e.secrets.pukFactory = e.factoryPUK(protection)
			e.noteInForce()
			if err := e.enterLedger(ctx); err != nil {
				return err
			}
			audited := e.audited()
			if err := e.keepEarlierReceipt(&audited); err != nil || e.receipt != nil {
				return err
			}
			var data bytes.Buffer
			if err := safetext.EncodeJSON(&data, audited, "  "); err != nil {
				return err
			}
			if err := e.folder.Write(evidence.ReceiptName, data.Bytes()); err != nil {
				return err
			}
			e.receipt = &audited.Receipt
			return nil
		}}
}

// enterLedger enters the registration into the ledger, if there is one.
func (e *Enrollment) enterLedger(ctx context.Context) error {
	if e.world.Ledger == nil {
		return nil
	}
	entry := ledger.Entry{Email: e.request.Email, Where: fmt.Sprintf("card %d", e.serial), Worker: e.world.Operator}
	for i, key := range e.keys {
		registered := e.outcome.Keys[i]
		entry.Pairs = append(entry.Pairs, ledger.Pair{
			Use: string(key.Use), LeafSHA256: smime.Fingerprint(key.leaf), NotAfter: key.leaf.NotAfter, Description: e.describe(key),
			PKCS7: key.pkcs7, KeyPairID: registered.Pair.ID, Created: registered.Created,
		})
	}
	return e.world.Ledger.Enter(ctx, entry)
}

// keepEarlierReceipt takes an earlier receipt of the same outcome as this one's,
// because it knows when and by whom it was done; one of another outcome is kept
// under its time.
func (e *Enrollment) keepEarlierReceipt(audited *auditedReceipt) error {
	data, err := e.folder.Read(evidence.ReceiptName)
	if err != nil || data == nil {
		return err
	}
	var earlier auditedReceipt
	if err := json.Unmarshal(data, &earlier); err != nil {
		return fmt.Errorf("reading %s: %w", e.folder.File(evidence.ReceiptName), err)
	}
	if reflect.DeepEqual(earlier.Receipt, audited.Receipt) {
		e.receipt = &earlier.Receipt
		return nil
	}
	return e.folder.Write("receipt-"+earlier.Finished.Format("20060102T150405Z")+".json", data)
}
