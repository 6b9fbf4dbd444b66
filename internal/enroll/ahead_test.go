package enroll_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// fullLedger takes nothing in.
type fullLedger struct{}

func (fullLedger) Enter(context.Context, ledger.Entry, []ledger.CardCertificate) error {
	return errFull
}
func (fullLedger) Check(context.Context) error { return errFull }

func (fullLedger) Has(context.Context, ledger.Entry, []ledger.CardCertificate) (bool, error) {
	return false, nil
}

var errFull = errors.New("the ledger is full")

// TestWhatIsWrongIsKnownBeforeTheCardIsChanged: with a key and a certificate on the
// card, or without, whatever can be found out is found out before PIN, PUK and
// management key are replaced, before the PIN is asked for, and before anything is
// generated.
func TestWhatIsWrongIsKnownBeforeTheCardIsChanged(t *testing.T) {
	existing := func(profile string) func(*desk) {
		return func(d *desk) {
			d.importKeyAndCertificate(profile)
			d.request.Keys[0].Source = enroll.SourceExisting
			d.request.AllowUnattested = true
			d.deps.Chain = append(d.deps.Chain, practice.CA().Issuing(), practice.CA().Root())
		}
	}
	also := func(changes ...func(*desk)) func(*desk) {
		return func(d *desk) {
			for _, change := range changes {
				change(d)
			}
		}
	}
	for name, test := range map[string]struct {
		spoil func(*desk)
		step  string
	}{
		"no chain":       {also(existing("standard"), func(d *desk) { d.deps.Chain = nil }), "settle-keys"},
		"expired":        {existing("expired"), "settle-keys"},
		"other address":  {existing("other-address"), "settle-keys"},
		"no address":     {existing("no-address"), "settle-keys"},
		"not from there": {also(existing("standard"), func(d *desk) { d.request.AllowUnattested = false }), "settle-keys"},
		"another key":    {also(existing("standard"), importAnother), "settle-keys"},
		"no issuer":      {func(d *desk) { d.deps.Issuer = nil }, "secrets"},
		"no issuer, no certificate": {also(importAnother, func(d *desk) {
			d.deps.Issuer = nil
			d.request.Keys[0].Source, d.request.AllowUnattested = enroll.SourceExisting, true
		}), "secrets"},
		"no escrow": {func(d *desk) { d.deps.Escrow = nil }, "secrets"},
		"escrow is gone": {func(d *desk) {
			folder := filepath.Join(d.t.TempDir(), "stick")
			store, err := escrow.NewPlainFile(folder)
			if err != nil {
				d.t.Fatal(err)
			}
			d.deps.Escrow = store
			if err := os.RemoveAll(folder); err != nil {
				d.t.Fatal(err)
			}
		}, "secrets"},
		"evidence is a file": {func(d *desk) {
			d.deps.Evidence = filepath.Join(d.t.TempDir(), "file")
			if err := os.WriteFile(d.deps.Evidence, nil, 0o600); err != nil {
				d.t.Fatal(err)
			}
		}, "settle-keys"},
		"full ledger": {func(d *desk) { d.deps.Ledger = fullLedger{} }, "settle-keys"},
		"CSE is off":  {func(d *desk) { setFaults(d.t, "cse-off:"+d.email) }, "check-user"},
		"algorithm":   {func(d *desk) { d.request.Keys[0].Algorithm = piv.RSA4096 }, "read-card"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "5.4.3")
			setFaults(t, "off")
			d.request.PIN = secret.Secret{}
			d.deps.Prompter = meanwhile{do: func() { t.Error("the PIN was asked for") }}
			test.spoil(d)
			before := d.card.Snapshot()
			_, err := d.run()
			setFaults(t, "off")
			var step *enroll.StepError
			if !errors.As(err, &step) || step.Step.ID != test.step {
				t.Errorf("it ended as %v", err)
			}
			after := d.card.Snapshot()
			if !after.PIN.Default || !after.PUK.Default || !after.ManagementKey.Default || after.PIN.Tries != 3 || len(after.Slots) != len(before.Slots) {
				t.Errorf("the card was changed")
			}
			if records, err := escrow.ReadAll(t.Context(), d.escrow, d.serial); len(records) != 0 || err != nil {
				t.Errorf("%d records were sealed, %v", len(records), err)
			}
		})
	}
}

// importAnother puts another key into the slot than whatever is there.
func importAnother(d *desk) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	d.importKey(piv.SlotKeyManagement, key)
}

// TestCertificateInTheFolderIsCheckedBeforehand: one that came for the key of an
// earlier run and does not fit on the card.
func TestCertificateInTheFolderIsCheckedBeforehand(t *testing.T) {
	d := newDesk(t, "5.4.3")
	setFaults(t, "off")
	d.mustWait()
	folders, err := filepath.Glob(filepath.Join(d.deps.Evidence, d.email, "*", "request-9d.csr"))
	if err != nil || len(folders) != 1 {
		t.Fatal(folders, err)
	}
	data, err := os.ReadFile(folders[0])
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := ca.Named("too-large", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	chain, err := practice.CA().Sign(request, profile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(folders[0]), "certificate-9d.pem"), certificate.EncodePEM(chain...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = d.run()
	var step *enroll.StepError
	if !errors.Is(err, piv.ErrCertificateTooLarge) || !errors.As(err, &step) || step.Step.ID != "settle-keys" {
		t.Errorf("it ended as %v", err)
	}
}
