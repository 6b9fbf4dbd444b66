package desk

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/status"
)

// QueueEntry is a person of the queue and how far their enrollment is.
type QueueEntry struct {
	Person
	enroll.Progress
	// Problem is what keeps the evidence or the certificate from being used.
	Problem error
	// Waits is what the person waits for, as far as Collect was told.
	Waits []*issuer.WaitingError
	// By is who registered the person elsewhere; empty for this desk.
	By string
	// Ended is what the ledger has of the card that the person is done with, once its use has
	// ended; nil while it has not.
	Ended *ledger.CardCertificate
}

// SearchText is what a person can be found by: address, name and note.
func (e *QueueEntry) SearchText() string {
	return e.Email + " " + strings.TrimPrefix(e.Name+" "+e.Note, " ")
}

// Registered is what the ledger tells of a person who was registered by any of
// the desks and batches that share it.
type Registered struct {
	When  time.Time
	By    string   // user@host
	Cards []string // the descriptions of the key pairs
}

// Queue returns the people of the roster with their progress, in its order. What
// was done or parked earlier, here or by an earlier run of the program, shows in
// the evidence.
func (d *Desk) Queue(ctx context.Context) ([]QueueEntry, error) {
	entries := make([]QueueEntry, 0, len(d.People))
	for _, person := range d.People {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries = append(entries, d.QueueEntry(ctx, person))
	}
	return entries, nil
}

// QueueEntry returns one person's progress: what this desk's evidence tells or, where
// it tells nothing, the ledger. An enrollment with another card than the one that
// was assigned to the person does not count.
func (d *Desk) QueueEntry(ctx context.Context, person Person) QueueEntry {
	entry := d.enrolled(ctx, person)
	if !d.RenewsSince.IsZero() && entry.Stage == enroll.StageDone && entry.When.Before(d.RenewsSince) {
		entry.Stage = enroll.StageNone // with the card that they have
		if entry.Person.Serial == 0 {
			entry.Person.Serial = entry.Progress.Serial
		}
	}
	return entry
}

// enrolled is the entry of a person with how far their enrollment or renewal is. Who was enrolled
// by mistake is to do again.
func (d *Desk) enrolled(ctx context.Context, person Person) QueueEntry {
	entry := d.begun(ctx, person)
	if d.Cards == nil || entry.Stage != enroll.StageDone {
		return entry
	}
	cards, err := d.Cards(ctx, person.Email)
	if err != nil {
		entry.Problem = err
		return entry
	}
	switch ended := (status.User{Cards: cards}).Ended(); {
	case ended == nil || entry.Progress.Serial != 0 && ended.Serial != entry.Progress.Serial:
	case ended.State == ledger.CardUndone:
		entry.Progress, entry.By = enroll.Progress{Stage: enroll.StageNone}, ""
	default:
		entry.Ended = ended
	}
	return entry
}

// begun is the entry of a person with what was begun last, whatever became of the card since.
func (d *Desk) begun(ctx context.Context, person Person) QueueEntry {
	progress, err := enroll.ReadProgress(d.Dependencies.Evidence, person.Email, person.Serial)
	if newest, other := enroll.ReadProgress(d.Dependencies.Evidence, person.Email, 0); other == nil && newest.Replaces.Of(person.Serial) {
		person.Serial, progress, err = newest.Serial, newest, nil // whatever card was assigned once
	}
	entry := QueueEntry{Person: person, Progress: progress, Problem: err}
	if d.Registered == nil || err != nil || progress.Stage != enroll.StageNone {
		return entry
	}
	registered, err := d.Registered(ctx, person.Email)
	if err != nil {
		entry.Problem = err
	} else if registered != nil && registered.with(person.Serial) {
		entry.Stage, entry.When, entry.By = enroll.StageDone, registered.When, registered.By
	}
	return entry
}

// with reports whether the registration is with that card; any is with 0.
func (r *Registered) with(serial uint32) bool {
	return serial == 0 || slices.ContainsFunc(r.Cards, func(card string) bool { return enroll.Describes(card, serial) })
}

// Collect asks the issuer for the certificates that the person waits for, and
// returns the entry they have then.
func (d *Desk) Collect(ctx context.Context, person Person) QueueEntry {
	entry := d.QueueEntry(ctx, person)
	if entry.Stage != enroll.StageWaiting {
		return entry
	}
	waits, err := enroll.Poll(ctx, d.Dependencies, person.Email, entry.Person.Serial)
	if err == nil {
		entry = d.QueueEntry(ctx, person)
	} else {
		entry.Problem = err
	}
	entry.Waits = waits
	return entry
}

// After returns the entry that a person has when an enrollment with that card has
// ended so. Another card than was assigned to them is theirs from now on, where
// the enrollment with it was begun, unless they declined or were stopped: then it
// may have been taken by mistake.
func (d *Desk) After(ctx context.Context, person Person, serial uint32, err error) QueueEntry {
	entry := d.QueueEntry(ctx, person)
	mistaken := errors.Is(err, enroll.ErrDeclined) || errors.Is(err, context.Canceled)
	if person.Serial != 0 && person.Serial != serial && !mistaken {
		person.Serial = serial
		if other := d.QueueEntry(ctx, person); other.Stage != enroll.StageNone {
			entry = other
		}
	}
	entry.Waits = issuer.Waits(err)
	return entry
}

// Find returns the index of a person's entry; -1 for none.
func Find(entries []QueueEntry, email string) int {
	return slices.IndexFunc(entries, func(entry QueueEntry) bool { return strings.EqualFold(entry.Email, email) })
}

// Next returns the index of the one to serve next: one whose certificate has
// come, else one who is to do; -1 for nobody. Those who are passed over failed
// here already.
func Next(entries []QueueEntry, passed func(email string) bool) int {
	for _, stages := range [][]enroll.Stage{{enroll.StageReady}, {enroll.StageNone, enroll.StageBegun}} {
		for i, entry := range entries {
			if slices.Contains(stages, entry.Stage) && !passed(entry.Email) {
				return i
			}
		}
	}
	return -1
}

// Holder returns to whom else in the queue that card is assigned, or who was
// enrolled or is being enrolled with it; "" for nobody.
func Holder(entries []QueueEntry, serial uint32, email string) string {
	for _, entry := range entries {
		theirs := entry.Person.Serial == serial || entry.Progress.Serial == serial && entry.Stage != enroll.StageNone
		if theirs && !strings.EqualFold(entry.Email, email) {
			return entry.Email
		}
	}
	return ""
}

// FindCard returns the index of the Holder of the card whose serial number was typed;
// -1 for none.
func FindCard(entries []QueueEntry, typed string) int {
	serial, err := strconv.ParseUint(typed, 10, 32)
	if err != nil || serial == 0 {
		return -1
	}
	return Find(entries, Holder(entries, uint32(serial), ""))
}

// Strange reports whether a card may be the wrong one for a person: another than
// was assigned to them or, where none was, somebody else's. The last person's may
// lie in the reader still.
func Strange(entries []QueueEntry, email string, assigned, serial uint32) bool {
	if assigned != 0 {
		return serial != assigned
	}
	return Holder(entries, serial, email) != ""
}

// RequestFor returns the request to begin with for a person: base, which is what the
// command line asked for, with the card that was assigned to them, or where they were
// begun with or are done, the keys that they had then; who is not done goes on with
// the card that they had, and with what it takes the place of. A card that was begun with and is somebody else's, among
// the entries, may have been taken by mistake.
func RequestFor(base enroll.Request, entries []QueueEntry, entry QueueEntry) enroll.Request {
	request := base
	request.Email = entry.Email
	if entry.Person.Serial != 0 {
		request.Serial = entry.Person.Serial
	}
	if request.Replaces == nil {
		request.Replaces = entry.Replaces
	}
	if len(entry.Keys) > 0 {
		request.Keys = entry.Keys
		mistaken := entry.Stage == enroll.StageBegun && Holder(entries, entry.Progress.Serial, entry.Email) != ""
		if entry.Stage != enroll.StageDone && !mistaken {
			request.Serial = entry.Progress.Serial
		}
	}
	return request
}
