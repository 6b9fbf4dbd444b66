package plain

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Words that are typed instead of an address.
const (
	wordList = "list"
	wordStop = "stop"
)

// pick asks who is next, and returns the index of their place; -1 for nobody.
func (f *flow) pick(ctx context.Context) (int, error) {
	f.look(ctx)
	if err := ctx.Err(); err != nil {
		return -1, err
	}
	for {
		question := "address of the user, or " + wordStop + ": "
		if len(f.entries) > 0 {
			if next := desk.Next(f.entries, f.failures.Has); next >= 0 {
				f.say("next in the queue: %d, %s", next+1, f.entries[next].Email)
			}
			question = "who is to be enrolled? a number or part of an address from the queue, an address, " + wordList + " or " + wordStop + ": "
		}
		typed, err := f.Line(ctx, question)
		if err != nil {
			return -1, err
		}
		switch strings.ToLower(typed) {
		case "":
		case wordStop:
			return -1, nil
		case wordList:
			f.look(ctx)
			f.list()
		default:
			if entry, err := f.find(ctx, typed); err != nil || entry >= 0 {
				return entry, err
			}
		}
	}
}

// find returns the place of the one who is meant, -1 where that is not clear. An
// address that was typed in full need not be in the queue.
func (f *flow) find(ctx context.Context, typed string) (int, error) {
	if problem := enroll.ValidateAddress(typed); problem == nil {
		return f.entryOf(typed), nil
	}
	var matches []int
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= len(f.entries) {
		matches = []int{n - 1}
	} else {
		for i, entry := range f.entries {
			if strings.Contains(strings.ToLower(entry.Email+" "+entry.Note), strings.ToLower(typed)) {
				matches = append(matches, i)
			}
		}
	}
	switch len(matches) {
	case 0:
		f.say("%q is not an address, and nobody in the queue is like that: type the user's primary address in full", typed)
		return -1, nil
	case 1:
		// A slip of the finger is noticed before it costs a card.
		entry := f.entries[matches[0]]
		agreed, err := f.Confirm(ctx, enroll.Question{Text: "enroll " + named(entry) + "?"})
		if err != nil || !agreed {
			return -1, err
		}
		return matches[0], nil
	}
	choices := []enroll.Choice{{ID: "-1", Text: "none of them"}}
	for _, i := range matches {
		choices = append(choices, enroll.Choice{ID: strconv.Itoa(i), Text: named(f.entries[i])})
	}
	answer, err := f.Choose(ctx, enroll.Question{Text: "who of them?"}, choices)
	if err != nil {
		return -1, err
	}
	return strconv.Atoi(answer)
}

// named is a person's address, with what the roster says of them.
func named(entry desk.QueueEntry) string {
	if entry.Note == "" {
		return entry.Email
	}
	return entry.Email + ", " + entry.Note
}

// placeOf returns the place of an address, at the end of the queue if it has
// none yet.
func (f *flow) entryOf(email string) int {
	if at := desk.Find(f.entries, email); at >= 0 {
		return at
	}
	f.entries = append(f.entries, desk.QueueEntry{Person: desk.Person{Email: email}})
	return len(f.entries) - 1
}

// user says what is known of the person here and at Gmail, and where they wait
// for a certificate has a person decide first.
func (f *flow) user(ctx context.Context, s *serving) (turn, error) {
	entry := f.entries[s.entry]
	f.say("%s: %s", entry.Email, f.standing(entry))
	if entry.Note != "" {
		f.say("  note: %s", entry.Note)
	}
	if entry.Stage == enroll.StageWaiting {
		if next, err := f.await(ctx, s); err != nil || next != goOn {
			return next, err
		}
	}
	found, err := f.desk.AtGmail(ctx, s.person.Email)
	if err != nil {
		return f.trouble(ctx, s, "asking Gmail what it has for "+s.person.Email, err, again, park, stop)
	}
	if len(found.KeyPairs) == 0 {
		f.say("Gmail has no key pair for them yet")
		return goOn, nil
	}
	f.say("key pairs that Gmail has for them: %d; they stay, so that old mail stays readable", len(found.KeyPairs))
	for _, pair := range found.KeyPairs {
		f.say("  key pair %s", pairText(pair, found.Identity))
	}
	return goOn, nil
}

// pairText tells of a key pair in a line.
func pairText(pair gmail.KeyPair, identity *gmail.Identity) string {
	text := pair.ID + ": disabled"
	if pair.Enabled {
		text = pair.ID + ": enabled"
	}
	if identity != nil {
		switch pair.ID {
		case identity.PrimaryKeyPairID:
			text += ", in use"
		case identity.SigningKeyPairID:
			text += ", signs"
		case identity.EncryptionKeyPairID:
			text += ", is written to"
		}
	}
	if !pair.NotAfter.IsZero() {
		text += ", valid to " + pair.NotAfter.Format(time.DateOnly)
	}
	switch {
	case len(pair.HardwareDescriptions) > 0:
		text += ", on " + strings.Join(pair.HardwareDescriptions, ", ")
	case len(pair.KeyServices) > 0:
		text += ", at the key service " + strings.Join(pair.KeyServices, ", ")
	}
	return text
}
