package maintenance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// ResetCard is what a reset needs of a card. [*piv.Card] is one.
type ResetCard interface {
	Identity() piv.Identity
	Status(ctx context.Context) (piv.Status, error)
	CheckManagementKey(ctx context.Context, key secret.Secret) error
	Reset(ctx context.Context) error
}

// ErrNotReset is returned where a reset was made without an error and the card is not as it left
// the factory.
var ErrNotReset = errors.New("after the reset the card is not as it left the factory")

// ErrBio is returned for a YubiKey Bio, which resets its PIV application only together with
// everything else on it. Nothing was changed.
var ErrBio = errors.New("a YubiKey Bio is reset as a whole only: its PIN, fingerprints and passkeys go, too")

// Reset brings a card back to as it left the factory.
type Reset struct {
	Card ResetCard
	// Escrow is the folder of the card's sealed records, which are in force no more afterwards.
	Escrow string
	Now    func() time.Time
}

// Losses is what a reset loses. The attestation key and its certificate (slot f9) stay.
type Losses struct {
	Serial  uint32
	Slots   []piv.SlotContents // that hold, or may hold, a key or a certificate
	Records []escrow.Listed    // that are in force, or may be
	// Nothing says that the card is as it left the factory already; where its firmware does
	// not tell (before 5.3) it is taken as not.
	Nothing bool
}

// Losses looks what would be lost. It changes nothing.
//
// Errors: ErrBio, and those of every command of a card.
func (r Reset) Losses(ctx context.Context) (Losses, error) {
	losses := Losses{Serial: r.Card.Identity().Serial}
	if r.Card.Identity().Bio() {
		return losses, ErrBio
	}
	status, err := r.Card.Status(ctx)
	if err != nil {
		return losses, err
	}
	losses.Slots, losses.Nothing = status.Slots, isFactory(status)
	records, err := escrow.List(ctx, r.Escrow, losses.Serial)
	if err != nil {
		return losses, err
	}
	for _, record := range records {
		if record.State != escrow.StateReplaced {
			losses.Records = append(losses.Records, record)
		}
	}
	return losses, nil
}

// isFactory reports whether the card says that it is as it left the factory.
func isFactory(status piv.Status) bool {
	return status.PIN.Factory == piv.Yes && status.PUK.Factory == piv.Yes && status.ManagementKey.Factory == piv.Yes &&
		status.PIN.Tries == status.PIN.Max && status.PUK.Tries == status.PUK.Max && len(status.Slots) == 0
}

// Run resets the card where it is not as it left the factory, looks again, and notes that no
// sealed record is in force. After whatever stops it, the same again goes on: PIN and PUK may be
// blocked then, and everything else is still there.
//
// Errors: ErrBio, ErrNotReset, and those of every command of a card.
func (r Reset) Run(ctx context.Context) error {
	serial := r.Card.Identity().Serial
	if r.Card.Identity().Bio() {
		return ErrBio // before PIN and PUK are blocked for nothing
	}
	status, err := r.Card.Status(ctx)
	if err != nil {
		return err
	}
	if !isFactory(status) {
		if err := r.Card.Reset(ctx); err != nil {
			return err
		}
		if err := r.verify(ctx); err != nil {
			return err
		}
	}
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	return escrow.NoteReset(ctx, r.Escrow, serial, now())
}

// verify looks whether the card is as it left the factory, as far as its firmware tells.
func (r Reset) verify(ctx context.Context) error {
	status, err := r.Card.Status(ctx)
	if err != nil {
		return fmt.Errorf("looking whether the card was reset: %w", err)
	}
	if status.PIN.Factory != piv.Unknown {
		if !isFactory(status) {
			return ErrNotReset
		}
		return nil
	}
	for _, slot := range status.Slots {
		if slot.Key != nil || slot.Certificate != nil || slot.CertificateErr != nil {
			return ErrNotReset
		}
	}
	if err := r.Card.CheckManagementKey(ctx, piv.FactoryManagementKey()); err != nil {
		return errors.Join(ErrNotReset, err)
	}
	return nil
}
