package desk

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/status"
)

// readers are the card readers as they were last seen.
type readers struct {
	Found    []piv.Found
	FoundErr error
	Watched  bool // whether they were looked at yet
	Blind    bool // whether they are not watched any more
	// Assigned is the card that was assigned to the person or begun with; 0 for
	// any.
	Assigned uint32
	// Chosen is the card that was chosen among several, and Taken the one that was
	// taken although it may be the wrong one. Each is forgotten when it is pulled.
	Chosen, Taken uint32
	Reading       uint32 // the card that is being read; 0 for none
	asked         int    // number of the latest reading
}

// Cards returns the YubiKeys that can be used now.
func (r *readers) Cards() []piv.Identity {
	var cards []piv.Identity
	for _, found := range r.Found {
		if found.Err == nil {
			cards = append(cards, found.Identity)
		}
	}
	return cards
}

// Present reports whether that card is in a reader.
func (r *readers) Present(serial uint32) bool {
	return slices.ContainsFunc(r.Cards(), func(card piv.Identity) bool { return card.Serial == serial })
}

// Obstacle is why no card can be used; piv.ErrNoCard where none is there.
func (r *readers) Obstacle() error {
	if r.FoundErr != nil {
		return r.FoundErr
	}
	for _, in := range r.Found {
		if in.Err != nil && !errors.Is(in.Err, piv.ErrNoCard) {
			return fmt.Errorf("%s: %w", in.Reader, in.Err)
		}
	}
	return piv.ErrNoCard
}

// Gone reports whether the readers cannot be watched until something is put right.
func (r *readers) Gone() bool { return r.FoundErr != nil && r.Blind }

// Wanted is the card to be shown: the chosen one, the one that was taken, the one
// that was assigned, or the only one; 0 for none.
func (r *readers) Wanted() uint32 {
	cards := r.Cards()
	switch {
	case r.Chosen != 0:
		return r.Chosen
	case r.Taken != 0:
		return r.Taken
	case r.Assigned != 0 && r.Present(r.Assigned):
		return r.Assigned
	case len(cards) == 1:
		return cards[0].Serial
	}
	return 0
}

// Choosing reports whether a person has to say which card is meant.
func (r *readers) Choosing() bool { return r.Wanted() == 0 && len(r.Cards()) > 1 }

// Strange reports whether a card may be the wrong one for the person, and was not
// taken all the same.
func (c *Conversation) Strange(serial uint32) bool {
	return serial != 0 && serial != c.Taken && (c.Former(serial) || Strange(c.Entries, c.Person.Email, c.Assigned, serial))
}

// MayTake reports whether a card can be taken although it may be the wrong one: one that another takes the
// place of only where it took the place of a card itself, which is meant then.
func (c *Conversation) MayTake(serial uint32) bool {
	return !c.Former(serial) || serial == c.Taken || len(c.cardsBefore(serial)) > 0
}

// Doubtful reports whether the card that was read may be the wrong one, and can be taken all the same.
func (c *Conversation) Doubtful() bool {
	serial := c.Card.Identity.Serial
	return c.Strange(serial) && c.MayTake(serial)
}

// takeAnyway takes the card that was read although it may be the wrong one.
func (c *Conversation) takeAnyway() {
	c.Taken = c.Card.Identity.Serial
	if c.Former(c.Taken) {
		replaces := *c.Request.Replaces
		replaces.Cards = c.cardsBefore(c.Taken)
		c.Request.Replaces = &replaces
	}
}

// Ready reports whether the card that was read can be used for the person.
func (c *Conversation) Ready() bool {
	serial := c.Card.Identity.Serial
	return serial != 0 && !c.Strange(serial) && c.Card.Status.PIN.Tries != 0
}

// Unusable reports whether another look is worth it: the readers are not watched any
// more, or the card could not be read, or cannot be used as it is.
func (c *Conversation) Unusable() bool {
	return c.Gone() || c.Problem != nil || c.Card.Identity.Serial != 0 && c.Card.Status.PIN.Tries == 0
}

// readCard reads the card that is wanted, once.
func (c *Conversation) readCard() []Effect {
	wanted := c.Wanted()
	if wanted != c.Card.Identity.Serial {
		c.Card = CardStatus{}
	}
	switch wanted {
	case 0:
		c.Reading, c.Problem = 0, nil
		return nil
	case c.Card.Identity.Serial, c.Reading:
		return nil
	}
	c.Reading, c.Problem = wanted, nil
	c.asked++
	return []Effect{ReadCard{Number: c.asked, Serial: wanted}}
}

func (c *Conversation) cardRead(event CardRead) {
	if event.Number != c.asked || c.Reading == 0 || c.Phase != PhaseCard {
		return
	}
	c.Reading = 0
	if c.Problem = event.Err; event.Err == nil {
		c.Card = event.Status
	}
}

// readersRead follows what is put in and pulled. What was decided about a card that
// is in no reader any more is forgotten, unless an enrollment waits for it.
func (c *Conversation) readersRead() []Effect {
	c.forgetPulled()
	switch c.Phase {
	case PhaseCard:
		return c.readCard()
	case PhaseMenu:
		if serial := c.Card.Identity.Serial; c.Menu.from == PhaseCard && serial != 0 && !c.Present(serial) {
			return c.leaveMenu()
		}
	case PhasePlan:
		return c.planCard()
	}
	return nil
}

func (c *Conversation) forgetPulled() {
	for _, serial := range []*uint32{&c.Chosen, &c.Taken} {
		if !c.Present(*serial) && !c.Run.Active() {
			*serial = 0
		}
	}
}

func (c *Conversation) actCard(action Action) []Effect {
	switch {
	case action == Back && c.Chosen != 0 && len(c.Cards()) > 1:
		c.Chosen = 0
		return c.readCard()
	case action == Back:
		return c.enter(PhaseUser)
	case action == TakeAnyway && c.Doubtful():
		c.takeAnyway()
	case action == More:
		return c.openMenu()
	case action == GoOn && c.Ready():
		c.Request.Serial = c.Card.Identity.Serial
		if c.copies {
			return c.beginTask(Task{Command: status.CommandReplace, Email: c.Person.Email, Serial: c.Request.Serial, Copies: true})
		}
		return c.enter(PhasePlan)
	case action == Again && c.Gone():
		c.FoundErr, c.Watched, c.Blind = nil, false, false
		return []Effect{WatchReaders{}}
	case action == Again && c.Unusable():
		c.Problem, c.Card = nil, CardStatus{}
		return c.readCard()
	}
	return nil
}
