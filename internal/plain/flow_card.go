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
	"github.com/cse-piv/cse-piv/internal/smime"
)

// card waits for the person's card and says what is on it.
func (f *flow) card(ctx context.Context, s *serving) (turn, error) {
	serial, err := f.awaitCard(ctx, s.request.Serial)
	if err != nil {
		return f.trouble(ctx, s, "waiting for the card", err, again, park, stop)
	}
	if s.card, err = f.desk.Status(ctx, serial); err != nil {
		return f.trouble(ctx, s, fmt.Sprintf("reading card %d", serial), err, again, park, stop)
	}
	f.sayCard(s.card)
	s.request.Serial = serial
	if place := &f.places[s.place]; place.Person.Serial != 0 {
		place.Person.Serial = serial // another one than was set aside
	}
	return goOn, nil
}

// awaitCard returns the serial number of the card to be used: the wanted one, or
// for 0 the only one that is there or is chosen. When the desk's patience ends it
// fails with what is wrong with the readers, or piv.ErrNoCard.
func (f *flow) awaitCard(ctx context.Context, wanted uint32) (uint32, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	impatience := time.AfterFunc(f.desk.World.Patience, cancel)
	defer impatience.Stop()
	cause, said, refused := error(piv.ErrNoCard), "", ""
	for found, err := range f.desk.Watch(waiting) {
		cards, ask := usable(found, wanted)
		if cause = err; err == nil {
			cause = obstacle(found)
		}
		offered := fmt.Sprint(cards)
		switch {
		case len(cards) == 1 && (wanted == 0 || cards[0].Serial == wanted):
			return cards[0].Serial, nil
		case len(cards) > 0 && offered != refused:
			impatience.Stop() // somebody is there
			serial, err := f.chooseCard(ctx, cards, wanted)
			if err != nil || serial != 0 {
				return serial, err
			}
			refused, said = offered, ""
			impatience.Reset(f.desk.World.Patience)
		}
		if !errors.Is(cause, piv.ErrNoCard) {
			ask += fmt.Sprintf(" (%v)", cause)
			if hint := f.desk.Hint(cause); hint != "" {
				ask += "; hint: " + hint
			}
		}
		if ask != said {
			f.say("%s", ask)
			said = ask
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return 0, cause
}

// usable lists the cards that can be used, only the wanted one where it is
// there, and says what is to be done where none can.
func usable(found []piv.Found, wanted uint32) (cards []piv.Identity, ask string) {
	ask = "put the card in"
	switch {
	case wanted != 0:
		ask = fmt.Sprintf("put card %d in", wanted)
	case len(found) == 0:
		ask = "put the card in; there is no reader yet, but a YubiKey is one itself"
	}
	for _, f := range found {
		switch {
		case f.Err == nil && f.Identity.Serial == wanted:
			return []piv.Identity{f.Identity}, ask
		case f.Err == nil:
			cards = append(cards, f.Identity)
		}
	}
	return cards, ask
}

// obstacle is what keeps a card that is there from being used, else
// piv.ErrNoCard.
func obstacle(found []piv.Found) error {
	for _, f := range found {
		if f.Err != nil && !errors.Is(f.Err, piv.ErrNoCard) {
			return fmt.Errorf("%s: %w", f.Reader, f.Err)
		}
	}
	return piv.ErrNoCard
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

// sayCard says what is known of a card.
func (f *flow) sayCard(card desk.CardStatus) {
	id, status := card.Identity, card.Status
	what := fmt.Sprintf("card %d: %s, firmware %s", id.Serial, id.Model, id.Firmware)
	if card.FormFactor != "" {
		what += ", " + card.FormFactor
	}
	f.say("%s, in %s", what, id.Reader)
	f.say("  PIN: %s", counterText(status.PIN))
	f.say("  PUK: %s", counterText(status.PUK))
	f.say("  management key: %s, %s", strings.ToUpper(status.ManagementKey.Algorithm), factoryText(status.ManagementKey.Factory))
	empty := 0
	for _, slot := range piv.Slots() {
		contents := piv.SlotContents{Slot: slot}
		for _, held := range status.Slots {
			if held.Slot == slot {
				contents = held
			}
		}
		if contents.Empty() && slot.Retired() {
			empty++
			continue
		}
		f.say("  slot %s: %s", desk.SlotName(slot), contentsText(contents))
	}
	f.say("  slots 82 to 95: %d of 20 are empty", empty)
	for _, advisory := range card.Advisories {
		f.say("  advisory: %s", advisory)
	}
}

func counterText(counter piv.Counter) string {
	text := fmt.Sprintf("%d tries left", counter.Tries)
	switch counter.Tries {
	case piv.UnknownTries:
		text = "the card does not tell the tries"
	case 0:
		return "blocked"
	case 1:
		text = "1 try left"
	}
	return text + ", " + factoryText(counter.Factory)
}

func factoryText(factory piv.Tri) string {
	switch factory {
	case piv.Yes:
		return "still the factory one, which will be replaced"
	case piv.No:
		return "not the factory one"
	}
	return "the card does not tell whether it is the factory one"
}

// contentsText tells what a slot holds.
func contentsText(contents piv.SlotContents) string {
	if contents.Empty() {
		return "empty"
	}
	text := "no key"
	if key := contents.Key; key != nil {
		text = fmt.Sprintf("%s key, %s, PIN %s, touch %s", key.Algorithm, key.Origin, key.PINPolicy, key.TouchPolicy)
	}
	if contents.CertificateErr != nil {
		return text + "; certificate: " + contents.CertificateErr.Error()
	}
	if leaf := contents.Certificate; leaf != nil {
		who := strings.Join(smime.EmailAddresses(leaf), " ")
		if who == "" {
			who = leaf.Subject.String()
		}
		text += fmt.Sprintf("; certificate of %s, valid to %s", who, leaf.NotAfter.Format(time.DateOnly))
	}
	return text
}
