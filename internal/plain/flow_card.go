package plain

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// card has the person's card put in and says what is on it.
func (f *flow) card(ctx context.Context) (desk.Event, error) {
	if purpose := f.talk.Purpose(); purpose != "" && f.purpose != purpose {
		f.say("%s", purpose)
	}
	f.purpose = f.talk.Purpose()
	found, err := f.readers(ctx)
	if err := f.tell(ctx, desk.ReadersRead{Found: found, Err: err}); err != nil {
		return nil, err
	}
	t := f.talk
	cards := t.Cards()
	switch {
	case len(cards) == 0:
		f.sayObstacles(found, err)
		return f.askForCard(ctx)
	case t.Choosing(), t.Assigned != 0 && !t.Present(t.Assigned) && t.Chosen == 0 && t.Taken == 0:
		serial, err := f.chooseCard(ctx, cards)
		if err != nil {
			return nil, err
		}
		if serial == 0 {
			return f.askForCard(ctx)
		}
		if err := f.tell(ctx, desk.CardChosen{Serial: serial}); err != nil {
			return nil, err
		}
	}
	if t.Problem != nil {
		return f.trouble(ctx, fmt.Sprintf("reading card %d", t.Wanted()), t.Problem, again, park, stop)
	}
	serial := t.Card.Identity.Serial
	f.sayCard(t.Card)
	if t.Card.Status.PIN.Tries == 0 {
		if len(t.MenuChoices()) > 0 {
			return f.choose(ctx, "what now?", again, option{desk.More, "set a new PIN"}, park, stop)
		}
		return f.choose(ctx, "what now?", again, park, stop)
	}
	if right, err := f.agreedTo(ctx, serial); err != nil {
		return nil, err
	} else if !right {
		t.Take(desk.CardChosen{})
		return f.askForCard(ctx)
	}
	if t.Strange(serial) {
		t.Take(desk.TakeAnyway)
	}
	return desk.GoOn, nil
}

// agreedTo warns of a card that is somebody else's, and has a person agree to it
// where it was not assigned to this one.
func (f *flow) agreedTo(ctx context.Context, serial uint32) (bool, error) {
	email := f.talk.Person.Email
	other := desk.Holder(f.talk.Entries, serial, email)
	switch {
	case f.talk.Former(serial):
		f.sayFormer(serial)
		if !f.talk.MayTake(serial) {
			return false, nil
		}
	case other == "":
		return true, nil
	default:
		f.say("warning: card %d is the card of %s", serial, other)
	}
	if !f.talk.Strange(serial) {
		return true, nil
	}
	return f.Confirm(ctx, enroll.Question{Text: fmt.Sprintf("use card %d for %s all the same?", serial, email)})
}

// sayFormer warns of a card that another one takes the place of.
func (f *flow) sayFormer(serial uint32) {
	text := "put the new card in"
	if f.talk.MayGiveUp() {
		text += " or, where this one was found again and is kept, type " + wordMore
	}
	f.say("warning: card %d is the one that another card takes the place of: %s", serial, text)
}

// sayCard says what is known of a card.
func (f *flow) sayCard(card desk.CardStatus) {
	id := card.Identity
	what := fmt.Sprintf("card %d: %s, firmware %s", id.Serial, id.Model, id.Firmware)
	if card.FormFactor != "" {
		what += ", " + card.FormFactor
	}
	f.say("%s, in %s", what, id.Reader)
	f.sayAll("  ", describe.Protection(card.Status))
	if card.Status.PIN.Tries == 0 {
		f.say("  warning: %s", f.withHint(piv.ErrPINBlocked))
	}
	f.sayAll("  ", describe.Slots(card.Status))
	for _, advisory := range card.Advisories {
		f.say("  advisory: %s", advisory)
	}
}
