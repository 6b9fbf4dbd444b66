package enroll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// KeyCopy is a copy of a key that a user had before, with the certificate that was issued for it: the
// card gets it in a retired slot, and reads old mail with it.
type KeyCopy struct {
	certificate.PrivateKey
	// Slot is the retired slot; 0 takes the first that is free.
	Slot piv.Slot
}

// id is the SHA-256 of the copy's certificate: one key may have several, and mail names the
// certificate that it was encrypted to.
func (c KeyCopy) id() string { return certificate.Fingerprint(c.Certificate) }

// Is reports whether a key pair at Gmail is that of the key on a card that this is a copy of.
func (c KeyCopy) Is(pair gmail.KeyPair) bool { return pair.Hardware() && pair.Has(c.id()) }

// IsOf reports whether a copy is of a key of the user's: Gmail has the certificate among those key pairs of
// theirs, or it names their address.
func (c KeyCopy) IsOf(email string, pairs []gmail.KeyPair) bool {
	return slices.ContainsFunc(pairs, c.Is) || smime.HasAddress(c.Certificate, email)
}

// copiesResult is what is known of the copies of old keys.
type copiesResult struct {
	settled  bool   // each has its slot, in the request
	began    []bool // of each: this run began to put it onto the card
	imported []bool // of each: it did
}

// settleCopiesStep decides into which retired slots the copies go, before anything is changed. A copy
// that is on the card already, or that an earlier run began to import, stays in its slot.
func settleCopiesStep() Step {
	return Step{ID: "settle-copies", Title: "find retired slots for the copies of old keys", Kind: KindDecision, Changes: changesNothing,
		needs: decided,
		check: func(ctx context.Context, e *enrollment) error {
			if e.copies.settled {
				return nil
			}
			history, err := e.card.History(ctx)
			if err != nil {
				return err
			}
			copies := distinct(e.request.Copies)
			free := slices.DeleteFunc(history.Free(), e.isPromised)
			if err := e.checkRetiredSlots(history, free, copies); err != nil {
				return err
			}
			for i := range copies {
				if err := e.settleCopy(ctx, history, &free, &copies[i]); err != nil {
					return err
				}
			}
			e.request.Copies = copies
			e.copies = copiesResult{settled: true, began: make([]bool, len(copies)), imported: make([]bool, len(copies))}
			return nil
		}}
}

// distinct returns the copies without those that are there twice.
func distinct(copies []KeyCopy) (once []KeyCopy) {
	for _, entry := range copies {
		if !slices.ContainsFunc(once, func(other KeyCopy) bool { return other.id() == entry.id() }) {
			once = append(once, entry)
		}
	}
	return once
}

// copiesSettled reports whether each copy has its slot.
func copiesSettled(e *enrollment) bool { return e.copies.settled }

// isPromised reports whether the slot is one that a renewal moves an old key to.
func (e *enrollment) isPromised(slot piv.Slot) bool {
	return e.renewal.of != nil && slices.ContainsFunc(slices.Collect(maps.Values(e.renewal.of.Keys)), func(old evidence.OldKey) bool { return old.MovedTo == slot.String() })
}

// checkRetiredSlots returns a *RetiredSlotsError for more copies that need a slot than there are free ones.
func (e *enrollment) checkRetiredSlots(history piv.History, free []piv.Slot, copies []KeyCopy) error {
	full := &RetiredSlotsError{Serial: e.request.Serial, Copies: true}
	free = slices.Clone(free)
	for _, entry := range copies {
		slot := cmp.Or(entry.Slot, e.placeOf(history, free, entry))
		if slot == 0 {
			full.Needed++
		}
		free = slices.DeleteFunc(free, func(of piv.Slot) bool { return of == slot })
	}
	if full.Free = len(free); full.Needed > full.Free {
		return full
	}
	return nil
}

// placeOf returns the slot that has a copy already, or that an earlier run chose for it; 0 for none.
func (e *enrollment) placeOf(history piv.History, free []piv.Slot, entry KeyCopy) (slot piv.Slot) {
	noted := e.evidence.journal.Copies[entry.id()]
	for _, contents := range history.Slots {
		there := contents.Key != nil && certificate.SameKey(contents.Key.PublicKey, entry.Key.Public())
		if there && entry.Certificate.Equal(contents.Certificate) {
			return contents.Slot
		}
		if noted == contents.Slot.String() && (there && contents.Certificate == nil || slices.Contains(free, contents.Slot)) {
			slot = contents.Slot
		}
	}
	return slot
}

// settleCopy gives one copy its slot, and sees that the card can take it there.
func (e *enrollment) settleCopy(ctx context.Context, history piv.History, free *[]piv.Slot, entry *KeyCopy) error {
	if entry.Slot = cmp.Or(e.placeOf(history, *free, *entry), entry.Slot); entry.Slot == 0 {
		entry.Slot = (*free)[0] // there are as many as are needed
	}
	*free = slices.DeleteFunc(*free, func(slot piv.Slot) bool { return slot == entry.Slot })
	_, err := e.importOf(*entry).Check(ctx)
	if occupied, found := errors.AsType[*maintenance.SlotOccupiedError](err); found {
		if e.evidence.journal.Copies[entry.id()] == entry.Slot.String() {
			return nil // by what was begun
		}
		return e.agreeToImport(ctx, occupied.Contents)
	}
	return err
}

// agreeToImport has a person agree that a copy goes into a slot of which the card does not tell whether
// it holds a key.
func (e *enrollment) agreeToImport(ctx context.Context, contents piv.SlotContents) error {
	occupied := &OccupiedError{Slot: contents.Slot, Contents: describeContents(contents)}
	if e.request.Agrees(e.request.Serial, lossOf(occupied)) {
		return nil
	}
	err := e.deps.Prompter.TypedConfirm(ctx, Question{
		ID: QuestionOverwrite, Text: fmt.Sprintf("the copy of an old key goes into slot %s of card %d", contents.Slot, e.request.Serial), Loss: lossOf(occupied),
	}, serialText(e.request.Serial))
	if missing := (*MissingError)(nil); errors.As(err, &missing) {
		return occupied
	}
	return err
}

// importOf imports one copy. What may be in its slot was agreed to when the slot was chosen.
func (e *enrollment) importOf(entry KeyCopy) maintenance.Import {
	return maintenance.Import{
		Card: e.card, ManagementKey: e.secrets.managementKey, Slot: entry.Slot, Entry: entry.PrivateKey, KeepCHUID: e.request.KeepCHUID,
		Options:     piv.ImportOptions{PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault},
		TakeUnknown: e.copies.settled,
		Notice:      func(what string) { e.note("%s", what) },
	}
}

// importCopyStep puts one copy into its slot, and its certificate beside it. The card may be pulled
// between any two commands: a key whose certificate is missing yet is imported into the same slot.
func importCopyStep(index int, entry KeyCopy) Step {
	step := Step{ID: "import-copy", Title: "import the copy of an old key into a retired slot", Kind: KindChange, Changes: changesCard,
		needs: copiesSettled,
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			there, err := e.importOf(e.request.Copies[index]).Check(ctx)
			done := err == nil && there.All()
			e.copies.imported[index] = done && e.copies.began[index]
			return done, err
		},
		preview: func(_ context.Context, e *enrollment) error {
			e.note("it goes to slot %s with its certificate, and old mail stays readable", e.request.Copies[index].Slot)
			return nil
		},
		act: func(ctx context.Context, e *enrollment) error {
			if err := e.noteManagementKey(); err != nil {
				return err
			}
			e.copies.began[index] = true // whose answer may be lost: the next look tells
			_, err := e.importOf(e.request.Copies[index]).Run(ctx)
			return err
		}}
	if entry.Slot != 0 {
		step.Slot, step.Title = entry.Slot.String(), fmt.Sprintf("import the copy of an old key into slot %s", entry.Slot)
	}
	return step
}

// enableCopiesStep has Gmail read with the copies: key pairs of theirs that are disabled are enabled
// again.
func enableCopiesStep() Step {
	disabled := func(ctx context.Context, e *enrollment) (ids []string, err error) {
		account, err := e.deps.Account(ctx, e.request.Email)
		if err != nil {
			return nil, err
		}
		pairs, err := account.KeyPairs(ctx)
		if err != nil {
			return nil, err
		}
		for _, pair := range pairs {
			if !pair.Enabled && slices.ContainsFunc(e.request.Copies, func(entry KeyCopy) bool { return entry.Is(pair) }) {
				ids = append(ids, pair.ID)
			}
		}
		return ids, nil
	}
	return Step{ID: "enable-copies", Title: "enable the key pairs of the old keys at Gmail", Kind: KindChange, Changes: changesGmail,
		needs: func(e *enrollment) bool { return e.user.registration != nil },
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			ids, err := disabled(ctx, e)
			return err == nil && len(ids) == 0, err
		},
		act: func(ctx context.Context, e *enrollment) error {
			ids, err := disabled(ctx, e)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := e.deps.EnableKeyPair(ctx, e.request.Email, id); err != nil {
					return fmt.Errorf("enabling key pair %s: %w", id, err)
				}
				e.note("key pair %s is enabled again: the new card has a copy of its key", id)
			}
			return nil
		}}
}

// copiesLeft reports whether a copy is still to be imported.
func (e *enrollment) copiesLeft(ctx context.Context) (bool, error) {
	for _, entry := range e.request.Copies {
		if there, err := e.importOf(entry).Check(ctx); err != nil || !there.All() {
			return true, err
		}
	}
	return false, nil
}
