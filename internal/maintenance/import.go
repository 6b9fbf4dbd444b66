package maintenance

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// ImportCard is what an import needs of a card. [*piv.Card] is one.
type ImportCard interface {
	Identity() piv.Identity
	Slot(ctx context.Context, slot piv.Slot) (piv.SlotContents, error)
	ImportKey(ctx context.Context, managementKey secret.Secret, slot piv.Slot, key crypto.Signer, options piv.ImportOptions) error
	PutCertificate(ctx context.Context, managementKey secret.Secret, slot piv.Slot, certificate *x509.Certificate) error
	RefreshCHUID(ctx context.Context, managementKey secret.Secret) error
	EnsureCHUID(ctx context.Context, managementKey secret.Secret) error
	History(ctx context.Context) (piv.History, error)
	WriteKeyHistory(ctx context.Context, managementKey secret.Secret) error
}

// Import puts an old key, which was kept elsewhere, into a slot, so that the card reads old mail.
// Nobody can prove that such a key exists nowhere else, and the card does not attest it.
type Import struct {
	Card          ImportCard
	ManagementKey secret.Secret
	Slot          piv.Slot
	Entry         certificate.PrivateKey
	Options       piv.ImportOptions
	// Overwrite lets what is in the slot be lost.
	Overwrite bool
	// TakeUnknown takes a slot without a certificate of which firmware before 5.3 does not tell whether
	// it holds a key.
	TakeUnknown bool
	KeepCHUID   bool
	// Notice is told in one sentence each time what was done.
	Notice func(what string)
}

// ErrNoCertificate is returned for a key without the certificate that was issued for it: mail
// programs find a key by its certificate.
var ErrNoCertificate = errors.New("the file has no certificate that was issued for the private key in it")

// UnsupportedKeyError is returned for a key that the card does not take. Nothing was changed.
type UnsupportedKeyError struct {
	Firmware  piv.Version
	Algorithm piv.Algorithm // empty for one that no card has, such as EC P-521
	Err       error         // a [*piv.UnsupportedError], or nil
}

// Error says why not.
func (e *UnsupportedKeyError) Error() string {
	if e.Algorithm == "" {
		return "the key in the file is of a kind that no card has: it has RSA and, on the curves P-256 and P-384, EC keys"
	}
	reason := ""
	if unsupported, found := errors.AsType[*piv.UnsupportedError](e.Err); found {
		reason = ": " + unsupported.Reason
	}
	return fmt.Sprintf("a card with firmware %s does not take the %s key in the file%s", e.Firmware, e.Algorithm, reason)
}

// Unwrap returns the cause.
func (e *UnsupportedKeyError) Unwrap() error { return e.Err }

// OtherCard reports whether a card with other firmware might take the key.
func (e *UnsupportedKeyError) OtherCard() bool {
	return e.Algorithm != "" && piv.Supports(e.Firmware, e.Algorithm) != nil
}

// SlotOccupiedError is returned for a slot that holds, or may hold, something else. Nothing was
// changed.
type SlotOccupiedError struct {
	Serial   uint32
	Contents piv.SlotContents
}

// Error says that the slot is not empty; what is in it the caller describes.
func (e *SlotOccupiedError) Error() string {
	if e.Contents.KeyUnknown {
		return fmt.Sprintf("slot %s of card %d may hold a key, which firmware before 5.3 does not tell", e.Contents.Slot, e.Serial)
	}
	return fmt.Sprintf("slot %s of card %d is not empty", e.Contents.Slot, e.Serial)
}

// Imported is what was done. The JSON names are a contract.
type Imported struct {
	Serial uint32   `json:"serial"`
	Slot   piv.Slot `json:"slot"`
	// Origin is imported, whatever the card says: it never is attested.
	Origin      piv.Origin    `json:"origin"`
	Algorithm   piv.Algorithm `json:"algorithm"`
	Certificate string        `json:"certificate_sha256"`
	// Unchanged says that everything was there already.
	Unchanged bool `json:"unchanged"`
}

// There is what of an import is on the card already.
type There struct {
	Key, Certificate bool
	History          bool // the Key History object counts it; true for slots that it does not count
}

// All reports whether nothing is to be done.
func (t There) All() bool { return t.Key && t.Certificate && t.History }

// Check looks whether the import can be made, and what of it is there already. It changes nothing.
//
// Errors: ErrNoCertificate, *SlotOccupiedError, *UnsupportedKeyError, [piv.ErrCertificateTooLarge],
// *piv.PolicyError.
func (i Import) Check(ctx context.Context) (There, error) {
	if i.Entry.Certificate == nil {
		return There{}, ErrNoCertificate
	}
	firmware := i.Card.Identity().Firmware
	algorithm, known := piv.AlgorithmOf(i.Entry.Key.Public())
	if !known {
		return There{}, &UnsupportedKeyError{}
	}
	if err := piv.CheckImport(firmware, i.Entry.Key); err != nil {
		return There{}, &UnsupportedKeyError{Firmware: firmware, Algorithm: algorithm, Err: err}
	}
	if _, err := piv.PackingOf(firmware, i.Entry.Certificate); err != nil {
		return There{}, fmt.Errorf("the certificate in the file: %w", err)
	}
	if err := i.Card.Identity().CheckPolicy(i.Slot, i.Options.PINPolicy); err != nil {
		return There{}, err
	}
	contents, err := i.Card.Slot(ctx, i.Slot)
	if err != nil {
		return There{}, err
	}
	there := There{
		Key:         contents.Key != nil && certificate.SameKey(contents.Key.PublicKey, i.Entry.Key.Public()),
		Certificate: contents.Certificate != nil && contents.Certificate.Equal(i.Entry.Certificate),
		History:     !i.Slot.Retired(),
	}
	if !contents.Empty() && !there.Key && !i.Overwrite && !(contents.Unknown() && i.TakeUnknown) {
		return there, &SlotOccupiedError{Serial: i.Card.Identity().Serial, Contents: contents}
	}
	if there.Key && there.Certificate && !there.History {
		history, err := i.Card.History(ctx)
		if err != nil {
			return there, err
		}
		there.History = history.Problem() == nil
	}
	return there, nil
}

// Run imports the key and then its certificate, looks again, and leaves what is there already. After
// whatever stops it, the same again goes on.
//
// Errors: those of Check, [piv.ErrManagementKey], [piv.ErrCardFull], and those of every command of a
// card.
func (i Import) Run(ctx context.Context) (Imported, error) {
	done := Imported{Serial: i.Card.Identity().Serial, Slot: i.Slot, Origin: piv.Imported}
	there, err := i.Check(ctx)
	if err != nil {
		return done, err
	}
	done.Algorithm, _ = piv.AlgorithmOf(i.Entry.Key.Public())
	done.Certificate = certificate.Fingerprint(i.Entry.Certificate)
	if done.Unchanged = there.All(); done.Unchanged {
		return done, nil
	}
	if !there.Key {
		if err := i.Card.ImportKey(ctx, i.ManagementKey, i.Slot, i.Entry.Key, i.Options); err != nil {
			return done, err
		}
		i.notice("the key is in slot " + i.Slot.String())
	}
	if !there.Certificate {
		if err := i.putCertificate(ctx); err != nil {
			return done, err
		}
	}
	if i.Slot.Retired() {
		return done, i.Card.WriteKeyHistory(ctx, i.ManagementKey)
	}
	return done, nil
}

// putCertificate gives the slot the key's certificate, and looks whether both are there. The CHUID
// comes first: when this ends in between, the certificate is still missing.
func (i Import) putCertificate(ctx context.Context) error {
	refresh := i.Card.RefreshCHUID
	if i.KeepCHUID {
		refresh = i.Card.EnsureCHUID
	}
	if err := refresh(ctx, i.ManagementKey); errors.Is(err, piv.ErrIssuerCHUID) {
		i.notice(err.Error() + " and stays: Windows caches certificates by it")
	} else if err != nil {
		return err
	}
	if err := i.Card.PutCertificate(ctx, i.ManagementKey, i.Slot, i.Entry.Certificate); err != nil {
		return err
	}
	contents, err := i.Card.Slot(ctx, i.Slot)
	if err != nil {
		return fmt.Errorf("looking whether the key was imported: %w", err)
	}
	if contents.Certificate == nil || !contents.Certificate.Equal(i.Entry.Certificate) || contents.Key == nil || !certificate.SameKey(contents.Key.PublicKey, i.Entry.Key.Public()) {
		return piv.ErrKeyMismatch
	}
	return nil
}

func (i Import) notice(what string) {
	if i.Notice != nil {
		i.Notice(what)
	}
}
