package plain

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// cardMoment is how long a card that was just put in may take to answer.
const cardMoment = 2 * time.Second

// findCard returns the serial number of the card to be used (goOn): the one that
// is wanted for the person, or else the only one that is there or is chosen. As
// long as it is not there, a person puts it in, parks or stops.
func (f *flow) findCard(ctx context.Context, s *serving) (uint32, turn, error) {
	wanted := s.request.Serial
	for moment := time.Duration(0); ; moment = cardMoment {
		found, err := f.readers(ctx, wanted, moment)
		if ctx.Err() != nil {
			return 0, stop, ctx.Err()
		}
		cards := usable(found, wanted)
		switch {
		case len(cards) == 1 && (wanted == 0 || cards[0].Serial == wanted):
			return cards[0].Serial, goOn, nil
		case len(cards) > 0:
			serial, err := f.chooseCard(ctx, cards, wanted)
			if err != nil || serial != 0 {
				return serial, goOn, err
			}
		default:
			f.sayObstacles(found, err)
		}
		if next, err := f.askForCard(ctx, s, obstacle(found, err)); err != nil || next != again {
			return 0, next, err
		}
	}
}

// obstacle is why no card can be used.
func obstacle(found []piv.Found, err error) error {
	if err != nil {
		return err
	}
	for _, in := range found {
		if in.Err != nil && !errors.Is(in.Err, piv.ErrNoCard) {
			return fmt.Errorf("%s: %w", in.Reader, in.Err)
		}
	}
	return piv.ErrNoCard
}

// readers tells what is in the readers, as soon as the wanted card is there, at
// the latest after that moment.
func (f *flow) readers(ctx context.Context, wanted uint32, moment time.Duration) (found []piv.Found, err error) {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	if moment > 0 {
		defer time.AfterFunc(moment, cancel).Stop()
	}
	for found, err = range f.desk.Watch(watching) {
		cards := usable(found, wanted)
		if moment == 0 || len(cards) == 1 && (wanted == 0 || cards[0].Serial == wanted) {
			break
		}
	}
	return found, err
}

// askForCard has the card put in (again), unless a person parks or stops because of
// what is in the way.
func (f *flow) askForCard(ctx context.Context, s *serving, obstacle error) (turn, error) {
	wanted := s.request.Serial
	ask := "put the card in"
	if wanted != 0 {
		ask = fmt.Sprintf("put card %d in", wanted)
	}
	words := "stop"
	if !f.single {
		words = "park or stop"
	}
	line, err := f.Line(ctx, fmt.Sprintf("%s and press Enter, or type %s: ", ask, words))
	if err != nil {
		return stop, err
	}
	switch word := turn(strings.ToLower(line)); {
	case word == park && !f.single, word == stop && f.single:
		f.failures.Note(s.person.Email, obstacle)
		return word, nil
	case word == stop:
		return stop, nil
	}
	return again, nil
}

// usable lists the cards that can be used, only the wanted one where it is
// there.
func usable(found []piv.Found, wanted uint32) (cards []piv.Identity) {
	for _, f := range found {
		switch {
		case f.Err == nil && f.Identity.Serial == wanted:
			return []piv.Identity{f.Identity}
		case f.Err == nil:
			cards = append(cards, f.Identity)
		}
	}
	return cards
}

// sayObstacles says why no card can be used.
func (f *flow) sayObstacles(found []piv.Found, err error) {
	switch {
	case err != nil:
		f.say("the card readers cannot be used")
		f.explain(err)
	case len(found) == 0:
		f.say("there is no card reader; a YubiKey is one itself")
	}
	for _, in := range found {
		if errors.Is(in.Err, piv.ErrNoCard) {
			f.say("no card is in %s", in.Reader)
			continue
		}
		f.say("the card in %s cannot be used", in.Reader)
		f.explain(in.Err)
	}
}

// chooseCard has a person choose among the cards that are there; 0 is none of
// them.
func (f *flow) chooseCard(ctx context.Context, cards []piv.Identity, wanted uint32) (uint32, error) {
	text, none := "which card?", "wait for another one"
	if wanted != 0 {
		text, none = fmt.Sprintf("card %d is meant for this person, and is not there", wanted), fmt.Sprintf("wait for card %d", wanted)
	}
	choices := []enroll.Choice{{ID: "0", Text: none}}
	for _, card := range cards {
		choices = append(choices, enroll.Choice{
			ID:   strconv.FormatUint(uint64(card.Serial), 10),
			Text: fmt.Sprintf("card %d: %s, firmware %s, in %s", card.Serial, card.Model, card.Firmware, card.Reader),
		})
	}
	answer, err := f.Choose(ctx, enroll.Question{Text: text}, choices)
	if err != nil {
		return 0, err
	}
	serial, err := strconv.ParseUint(answer, 10, 32)
	return uint32(serial), err
}
