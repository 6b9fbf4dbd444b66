package tui

import (
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// cardScreen waits for a card and shows what is on it.
type cardScreen struct {
	cursor int // where several cards are there
}

func (*cardScreen) enter(*session)       {}
func (*cardScreen) typing(*session) bool { return false }

// strange reports whether the card that is shown may be the wrong one.
func (*cardScreen) strange(s *session) bool { return s.Strange(s.Card.Identity.Serial) }

func (c *cardScreen) bindings(s *session) []key.Binding {
	bindings := []key.Binding{s.keys.Back}
	if len(s.MenuChoices()) > 0 {
		bindings = append([]key.Binding{s.keys.More}, bindings...)
	}
	switch {
	case s.Doubtful():
		return append([]key.Binding{s.keys.Other}, bindings...)
	case s.Ready():
		return append([]key.Binding{s.keys.Next}, bindings...)
	case s.Choosing():
		return append([]key.Binding{named(s.keys.Next, "choose"), s.keys.Up, s.keys.Down}, bindings...)
	case s.Unusable():
		return append([]key.Binding{s.keys.Again}, bindings...)
	}
	return bindings
}

func (c *cardScreen) update(s *session, msg tea.Msg) tea.Cmd {
	cards := s.Cards()
	c.cursor = min(c.cursor, max(0, len(cards)-1))
	press, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok || !s.Choosing():
		return s.act(msg, c.bindings(s))
	case key.Matches(press, s.keys.Up):
		c.cursor = max(0, c.cursor-1)
	case key.Matches(press, s.keys.Down):
		c.cursor = min(len(cards)-1, c.cursor+1)
	case key.Matches(press, s.keys.Next):
		return s.tell(desk.CardChosen{Serial: cards[c.cursor].Serial})
	default:
		return s.act(msg, []key.Binding{s.keys.More, s.keys.Back})
	}
	return nil
}

func (c *cardScreen) view(s *session, width, _ int) string {
	lines := []string{""}
	if purpose := s.Purpose(); purpose != "" {
		lines = append(wrapped(s.styles.Now.Render(markNow), clean(purpose), width), "")
	}
	switch {
	case s.FoundErr != nil:
		lines = append(lines, problemLines(s, s.explain(s.FoundErr), width)...)
		then := "It is noticed here as soon as it is back."
		if s.Gone() {
			then = "When that is put right, press a to look again."
		}
		lines = append(lines, "", s.styles.Faint.Render(then))
	case !s.Watched:
		lines = append(lines, s.styles.Faint.Render(markWait+" looking into the readers"))
	case s.Choosing():
		lines = append(lines, "Several cards are there. Which one is it?", "")
		for i, card := range s.Cards() {
			pointer, style := "  ", s.styles.Value
			if i == c.cursor {
				pointer, style = markNow+" ", s.styles.Selected
			}
			lines = append(lines, style.Render(fmt.Sprintf("%s%d  %s, %s", pointer, card.Serial, clean(card.Model), card.Firmware))+
				s.styles.Faint.Render("  in "+clean(card.Reader)))
		}
		lines = append(lines, "", s.styles.Faint.Render("Not sure? Pull the others: the list changes at once."))
	case s.Problem != nil:
		lines = append(lines, problemLines(s, s.explain(s.Problem), width)...)
	case s.Card.Identity.Serial != 0:
		lines = append(lines, c.cardLines(s, width)...)
	case s.Reading != 0:
		lines = append(lines, s.styles.Faint.Render(fmt.Sprintf("%s reading card %d", markWait, s.Reading)))
	default:
		lines = append(lines, c.waitLines(s, width)...)
	}
	return strings.Join(lines, "\n")
}

// waitLines ask for a card, and say what is wrong with what is there.
func (c *cardScreen) waitLines(s *session, width int) []string {
	ask := "Put the card in."
	if s.Replaces() != "" {
		ask = "Put the new card in."
	}
	if s.Assigned != 0 {
		ask = fmt.Sprintf("Put card %d in.", s.Assigned)
	}
	lines := []string{s.styles.Now.Render(markNow + " " + ask), ""}
	if len(s.Found) == 0 {
		return append(lines, "There is no reader yet: a YubiKey is one itself, plug it in.")
	}
	for _, found := range s.Found {
		switch {
		case errors.Is(found.Err, piv.ErrNoCard):
			lines = append(lines, s.styles.Faint.Render(markNone+" "+clean(found.Reader)+": no card"))
		case found.Err != nil:
			why := s.explain(found.Err)
			lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), clean(found.Reader)+": "+why.text, width)...)
			if why.hint != "" {
				lines = append(lines, wrapped("  hint:", why.hint, width)...)
			}
		default:
			lines = append(lines, fmt.Sprintf("%s %s: card %d", markNone, clean(found.Reader), found.Identity.Serial))
		}
	}
	return lines
}

// cardLines show what is known of the card.
func (c *cardScreen) cardLines(s *session, width int) []string {
	id, status := s.Card.Identity, s.Card.Status
	what := clean(describe.Card(id))
	if s.Card.FormFactor != "" {
		what += ", " + s.Card.FormFactor
	}
	lines := []string{s.styles.Title.Render(what), s.styles.Faint.Render("in " + clean(id.Reader)), ""}
	if status.PIN.Tries == 0 {
		lines = append(lines, problemLines(s, s.explain(piv.ErrPINBlocked), width)...)
		lines = append(lines, "")
	}
	if s.Assigned != 0 && s.Assigned != id.Serial && s.Taken != id.Serial {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), fmt.Sprintf("card %d is meant for this person, and this is %d", s.Assigned, id.Serial), width)...)
		lines = append(lines, "")
	}
	if s.Former(id.Serial) {
		text := "another card takes the place of this one: take it out, and put the new card in"
		if s.MayGiveUp() {
			text += "; where this one was found again and is kept: m"
		}
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), text, width)...)
		lines = append(lines, "")
	}
	if other := desk.Holder(s.Entries, id.Serial, s.Person.Email); other != "" {
		what := "this is the card of " + clean(other)
		if c.strange(s) {
			what += ": take it out, and put this person's card in"
		}
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), what, width)...)
		lines = append(lines, "")
	}
	for _, advisory := range s.Card.Advisories {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), clean(advisory), width)...)
		lines = append(lines, "")
	}
	lines = append(lines, valueLines(s, describe.Protection(status), width)...)
	lines = append(lines, "")
	return append(lines, valueLines(s, describe.Slots(status), width)...)
}
