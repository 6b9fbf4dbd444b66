package plain

import (
	"context"
	"strconv"
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// Words that are typed instead of an address.
const (
	wordList = "list"
	wordPark = "park" // the next one comes after the others
	wordStop = "stop"
	wordMore = "more" // before an address: something else than to enroll
)

// pick asks who is next.
func (f *flow) pick(ctx context.Context) (desk.Event, error) {
	if f.first != "" {
		return f.meant(f.first), nil
	}
	if f.served && !f.talk.Roster {
		if more, err := f.Confirm(ctx, enroll.Question{Text: "next person?"}); err != nil || !more {
			return desk.Stop, err
		}
	} else if f.served && f.talk.Tally().Done == len(f.talk.Entries) {
		return desk.Stop, nil
	}
	if err := f.collect(ctx); err != nil {
		return nil, err
	}
	for {
		question := "address of the user, " + wordMore + " and an address (something else than to enroll), or " + wordStop + ": "
		if len(f.talk.Entries) > 0 {
			if next := f.talk.Next(); next >= 0 {
				f.say("next in the queue: %d, %s", next+1, f.talk.Entries[next].Email)
			}
			verb := "enrolled"
			if f.talk.Renews() {
				verb = "renewed"
			}
			question = "who is to be " + verb + "? a number or part of an address from the queue, an address, " + wordList + ", " + wordPark + " (serves who is next after the others), " + wordMore + " and an address (something else than that) or " + wordStop + ": "
		}
		typed, err := f.Line(ctx, question)
		if err != nil {
			return nil, err
		}
		typed, f.more = strings.CutPrefix(typed, wordMore+" ")
		f.offered = false
		switch strings.ToLower(typed) {
		case "":
		case wordStop:
			return desk.Stop, nil
		case wordPark:
			if err := f.tell(ctx, desk.Park); err != nil {
				return nil, err
			}
		case wordList:
			if err := f.tell(ctx, desk.Again); err != nil {
				return nil, err
			}
			if err := f.collect(ctx); err != nil {
				return nil, err
			}
			f.list()
		default:
			if picked, err := f.find(ctx, typed); err != nil || picked != nil {
				f.served = true
				return picked, err
			}
		}
	}
}

// find returns the one who is meant, nil where that is not clear. An address that was
// typed in full need not be in the queue.
func (f *flow) find(ctx context.Context, typed string) (desk.Event, error) {
	if problem := enroll.ValidateAddress(typed); problem == nil {
		return f.meant(typed), nil
	}
	entries := f.talk.Entries
	var matches []int
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= len(entries) {
		matches = []int{n - 1}
	} else if at := desk.FindCard(entries, typed); at >= 0 {
		matches = []int{at}
	} else {
		for i, entry := range entries {
			if strings.Contains(strings.ToLower(entry.SearchText()), strings.ToLower(typed)) {
				matches = append(matches, i)
			}
		}
	}
	switch len(matches) {
	case 0:
		f.say("no match for %q in the queue; you can type a full address", typed)
		return nil, nil
	case 1:
		// A slip of the finger is noticed before it costs a card.
		entry := entries[matches[0]]
		verb := "enroll "
		switch {
		case f.more:
			verb = "serve "
		case f.talk.Renews():
			verb = "renew "
		}
		agreed, err := f.Confirm(ctx, enroll.Question{Text: verb + named(entry) + "?"})
		if err != nil || !agreed {
			return nil, err
		}
		return desk.Picked{Person: entry.Person}, nil
	}
	f.say("who of them? type the number")
	for _, i := range matches {
		f.say("  %d  %s", i+1, named(entries[i]))
	}
	return nil, nil
}

// named is a person's address, with what the roster says of them.
func named(entry desk.QueueEntry) string {
	return strings.Join(append([]string{entry.Email}, entry.Person.About()...), ", ")
}

// meant is the person with that address, as the queue or the roster knows them.
func (f *flow) meant(email string) desk.Picked {
	person := desk.Person{Email: email}
	for _, known := range f.desk.People {
		if strings.EqualFold(known.Email, email) {
			person = known
		}
	}
	if entry, ok := f.talk.Entry(email); ok {
		person = entry.Person
	}
	return desk.Picked{Person: person}
}

// introduce says what is known here of the person who was picked.
func (f *flow) introduce() {
	entry, known := f.talk.Entry(f.talk.Picked.Email)
	if !known {
		entry.Person = f.talk.Picked
	}
	f.say("%s: %s", entry.Email, f.progress(entry))
	if entry.Name != "" {
		f.say("  name: %s", entry.Name)
	}
	if entry.Note != "" {
		f.say("  note: %s", entry.Note)
	}
	if entry.Person.Serial != 0 {
		f.say("  card: %d was assigned to them", entry.Person.Serial)
	}
	if entry.OtherDomain {
		f.say("  domain: another than the desk's")
	}
}

// user says what Gmail has for the person.
func (f *flow) user(ctx context.Context) (desk.Event, error) {
	found, problem := f.talk.AtGmail, f.talk.Problem
	if problem != nil {
		return f.trouble(ctx, "asking Gmail what it has for "+f.talk.Picked.Email, problem, again, park, stop)
	}
	switch {
	case f.offered:
		return desk.Back, nil
	case f.more && len(f.talk.MenuChoices()) > 0:
		f.offered = true
		return desk.More, nil
	case f.more:
		f.say("there is nothing at Gmail that could be renewed or end")
		return desk.Back, nil
	}
	if len(found.KeyPairs) == 0 {
		f.say("Gmail has no key pair for them yet")
		return desk.GoOn, nil
	}
	entry, _ := f.talk.Entry(f.talk.Picked.Email)
	if meanwhile := describe.Meanwhile(entry.Progress); len(meanwhile) > 0 {
		f.sayAll("", meanwhile)
	} else {
		f.say("key pairs that Gmail has for them: %d; they stay, so that old mail stays readable", len(found.KeyPairs))
	}
	for _, pair := range found.KeyPairs {
		f.say("  %s", line(describe.KeyPair(pair, found.Identity)))
	}
	return desk.GoOn, nil
}
