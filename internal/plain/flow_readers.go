package plain

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// cardMoment is how long a card that was just put in may take to answer.
const cardMoment = 2 * time.Second

// readers tells what is in the readers, as soon as the card that is wanted is there,
// at the latest after the pause.
func (f *flow) readers(ctx context.Context) (found []piv.Found, err error) {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	pause := f.pause
	if f.pause = 0; pause > 0 {
		defer time.AfterFunc(pause, cancel).Stop()
	}
	for found, err = range f.desk.Watch(watching) {
		if pause == 0 || isThere(found, f.talk.Assigned) {
			break
		}
	}
	return found, err
}

// isThere reports whether that card is in a reader; for 0 whether a single one is.
func isThere(found []piv.Found, wanted uint32) bool {
	cards := 0
	for _, in := range found {
		switch {
		case in.Err != nil:
		case in.Identity.Serial == wanted:
			return true
		default:
			cards++
		}
	}
	return wanted == 0 && cards == 1
}

// askForCard has the card put in (again), unless a person parks or stops.
func (f *flow) askForCard(ctx context.Context) (desk.Event, error) {
	ask := "put the card in"
	if f.talk.Replaces() != "" {
		ask = "put the new card in"
	}
	if wanted := f.talk.Assigned; wanted != 0 {
		ask = fmt.Sprintf("put card %d in", wanted)
	}
	words := "stop"
	if !f.talk.Single {
		words = "park or stop"
	}
	other := len(f.talk.MenuChoices()) > 0
	if other {
		words = wordMore + " (something else than to enroll), " + words
	}
	line, err := f.Line(ctx, fmt.Sprintf("%s and press Enter, or type %s: ", ask, words))
	if err != nil {
		return nil, err
	}
	switch word := desk.Action(strings.ToLower(line)); {
	case word == desk.Stop, word == desk.Park && !f.talk.Single:
		return word, nil
	case word == desk.More && other:
		return word, nil
	}
	f.pause = cardMoment
	return nil, nil
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
func (f *flow) chooseCard(ctx context.Context, cards []piv.Identity) (uint32, error) {
	text, none := "which card?", "wait for another one"
	if wanted := f.talk.Assigned; wanted != 0 {
		text, none = fmt.Sprintf("card %d is meant for this person, and is not there", wanted), fmt.Sprintf("wait for card %d", wanted)
	}
	choices := []enroll.Choice{{ID: "0", Text: none}}
	for _, card := range cards {
		if f.talk.Former(card.Serial) && !f.talk.MayTake(card.Serial) {
			f.sayFormer(card.Serial)
			continue
		}
		choices = append(choices, enroll.Choice{
			ID:   strconv.FormatUint(uint64(card.Serial), 10),
			Text: fmt.Sprintf("card %d: %s, firmware %s, in %s", card.Serial, card.Model, card.Firmware, card.Reader),
		})
	}
	if len(choices) == 1 {
		return 0, nil
	}
	answer, err := f.Choose(ctx, enroll.Question{Text: text}, choices)
	if err != nil {
		return 0, err
	}
	serial, err := strconv.ParseUint(answer, 10, 32)
	return uint32(serial), err
}
