// Package maintenance is what a card needs after it was issued (FIPS 201-3 section 2.9):
// a new PIN for somebody who forgot it, a new PUK after the old one was used, old keys for
// reading, and a reset.
package maintenance

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Card is what maintenance needs of a card. [*piv.Card] is one.
type Card interface {
	Identity() piv.Identity
	Protection(ctx context.Context) (piv.Protection, error)
	VerifyPIN(ctx context.Context, pin secret.Secret) error
	UnblockPIN(ctx context.Context, puk, pin secret.Secret) error
	ChangePUK(ctx context.Context, old, new secret.Secret) error
}

// Unblocking sets a new PIN with the PUK.
type Unblocking struct {
	Card Card
	// PUKs are the ones that the card may have, the likeliest first. Another one is tried
	// only where the card has more than one try left.
	PUKs []escrow.Record
	PIN  secret.Secret // the new one
	// Escrow takes the PUK in that takes the old one's place, which was seen by the person
	// who opened it; nil leaves the old one.
	Escrow escrow.Store
	// Notice is told in one sentence each time what was done.
	Notice func(what string)

	refused int // how many of PUKs the card refused; they are not tried again
}

// RecordError is returned for the PUK of a record of the escrow that the card did not take, or that
// was not tried because only one try is left.
type RecordError struct {
	Record  string    // its file
	Created time.Time // when it was sealed
	Err     error
}

// Error says which record it is, of when, and what the card said.
func (e *RecordError) Error() string {
	return fmt.Sprintf("the PUK in record %s of the escrow, of %s: %v", e.Record, format.Second(e.Created), e.Err)
}

// Unwrap returns what the card said.
func (e *RecordError) Unwrap() error { return e.Err }

// ErrNoPUK is returned where no PUK is known.
var ErrNoPUK = errors.New("the card's PUK is not known")

// Unblocked is what was done.
type Unblocked struct {
	Serial uint32 `json:"serial"`
	// Used is the file of the record whose PUK the card took; empty for one that was typed.
	Used string `json:"used_record,omitempty"`
	// Record is the file of the record with the new PUK; empty where it stayed.
	Record string `json:"record,omitempty"`
}

// Run unblocks the PIN. The next PUK is sealed before the card learns it, so that after
// whatever stops it the same again goes on: the card has one of the PUKs in the escrow.
//
// Called again it does not try PUKs that the card refused before.
//
// Errors: ErrNoPUK, [piv.ErrPUKBlocked], [*piv.WrongPINError] and [*piv.LastTryError] of
// the PUK, in a [*RecordError] where it came from the escrow, [piv.ErrWeakPIN], those of the
// escrow, and those of every command of a card.
func (u *Unblocking) Run(ctx context.Context) (Unblocked, error) {
	done := Unblocked{Serial: u.Card.Identity().Serial}
	protection, err := u.Card.Protection(ctx)
	switch {
	case err != nil:
		return done, err
	case protection.PUK.Tries == 0:
		return done, piv.ErrPUKBlocked
	case len(u.PUKs) == 0:
		return done, ErrNoPUK
	}
	if store, ok := u.Escrow.(interface{ Check(context.Context) error }); ok {
		if err := store.Check(ctx); err != nil {
			return done, err
		}
	}
	used, err := u.unblock(ctx)
	if err != nil {
		return done, err
	}
	if used.Path != "" {
		done.Used = filepath.Base(used.Path)
	}
	if err := u.Card.VerifyPIN(ctx, u.PIN); err != nil {
		return done, fmt.Errorf("verification after the change failed: %w", err)
	}
	u.notice("the card has the new PIN")
	if u.Escrow == nil {
		u.notice("the PUK that was used stays the card's")
		return done, nil
	}
	return done, u.replacePUK(ctx, used, &done)
}

// replacePUK gives the card a PUK that nobody has seen.
func (u *Unblocking) replacePUK(ctx context.Context, used escrow.Record, done *Unblocked) error {
	next, err := u.nextPUK(ctx, used)
	if err != nil {
		return err
	}
	if err := u.Card.ChangePUK(ctx, used.PUK, next.PUK); err != nil {
		return err
	}
	done.Record = next.Path
	u.notice("the PUK that was used is replaced")
	return escrow.NoteInForce(next.Path, done.Serial, escrow.KindPUK)
}

// nextPUK returns a record that an earlier run sealed and did not set, or else seals a
// new one.
func (u *Unblocking) nextPUK(ctx context.Context, used escrow.Record) (escrow.Record, error) {
	for i := range u.PUKs[1:] {
		if u.PUKs[i].Path == used.Path {
			return u.PUKs[i+1], nil
		}
	}
	record := escrow.Record{Serial: u.Card.Identity().Serial, Note: "after the PIN was unblocked"}
	for _, before := range u.PUKs {
		if before.Path != "" {
			record.Replaces = append(record.Replaces, filepath.Base(before.Path))
		}
	}
	var err error
	if record.PUK, err = piv.NewPUK(); err != nil {
		return record, err
	}
	if record.Path, err = u.Escrow.Put(ctx, record); err != nil {
		return record, err
	}
	u.notice("the next PUK is " + escrow.Kept(record.Path))
	return record, nil
}

// unblock gives the card one PUK after the other, and returns the record of the one that
// it took.
func (u *Unblocking) unblock(ctx context.Context) (escrow.Record, error) {
	for {
		record := u.PUKs[u.refused]
		err := u.Card.UnblockPIN(ctx, record.PUK, u.PIN)
		wrong, found := errors.AsType[*piv.WrongPINError](err)
		if !found || u.refused == len(u.PUKs)-1 {
			return record, ofRecord(record, err)
		}
		u.refused++
		u.notice(fmt.Sprintf("the PUK in %s is not the card's: %s", filepath.Base(record.Path), piv.TriesLeft(wrong.Tries)))
		if wrong.Tries == 1 {
			return record, ofRecord(u.PUKs[u.refused], &piv.LastTryError{Reference: "PUK"})
		}
	}
}

// ofRecord says which record an error about a PUK is about, where it is about one.
func ofRecord(record escrow.Record, err error) error {
	_, wrong := errors.AsType[*piv.WrongPINError](err)
	_, last := errors.AsType[*piv.LastTryError](err)
	if record.Path == "" || !wrong && !last && !errors.Is(err, piv.ErrPUKBlocked) {
		return err
	}
	return &RecordError{filepath.Base(record.Path), record.Created, err}
}

func (u *Unblocking) notice(what string) {
	if u.Notice != nil {
		u.Notice(what)
	}
}
