package tui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// cardScreen waits for a card and shows what is on it.
type cardScreen struct {
	cursor  int    // where several cards are there
	reading uint32 // the card that is being read; 0 for none
	asked   int    // number of the latest reading
	problem problem
}

func (c *cardScreen) enter(s *session) tea.Cmd {
	c.reading = 0 // what was being read told another screen
	return c.look(s)
}

func (*cardScreen) typing() bool { return false }

// wanted is the card to be shown: the chosen one, the one that was taken, the one
// that was set aside, or the only one; 0 for none.
func (c *cardScreen) wanted(s *session) uint32 {
	cards := s.cards()
	switch {
	case s.chosen != 0:
		return s.chosen
	case s.taken != 0:
		return s.taken
	case s.assigned != 0 && s.present(s.assigned):
		return s.assigned
	case len(cards) == 1:
		return cards[0].Serial
	}
	return 0
}

// look reads the card that is wanted, once.
func (c *cardScreen) look(s *session) tea.Cmd {
	wanted := c.wanted(s)
	if wanted != s.card.Identity.Serial {
		s.card = desk.CardStatus{}
	}
	switch wanted {
	case 0:
		c.reading, c.problem = 0, problem{}
		return nil
	case s.card.Identity.Serial, c.reading:
		return nil
	}
	c.reading, c.problem = wanted, problem{}
	c.asked++
	return s.deps.status(c.asked, wanted)
}

// ready reports whether the card that is shown can be used for the person.
func (c *cardScreen) ready(s *session) bool {
	return s.card.Identity.Serial != 0 && !c.strange(s) && s.card.Status.PIN.Tries != 0
}

// strange reports whether the card that is shown may be the wrong one.
func (c *cardScreen) strange(s *session) bool {
	return s.strange(s.card.Identity.Serial)
}

func (c *cardScreen) bindings(s *session) []key.Binding {
	bindings := []key.Binding{s.keys.Back}
	switch {
	case c.strange(s):
		return append([]key.Binding{s.keys.Other}, bindings...)
	case c.ready(s):
		return append([]key.Binding{s.keys.Next}, bindings...)
	case c.choosing(s):
		return append([]key.Binding{named(s.keys.Next, "choose"), s.keys.Up, s.keys.Down}, bindings...)
	case c.again(s):
		return append([]key.Binding{s.keys.Again}, bindings...)
	}
	return bindings
}

// again reports whether another look is worth it: the readers are not watched any
// more, or the card could not be read, or cannot be used as it is.
func (c *cardScreen) again(s *session) bool {
	return gone(s) || c.problem.text != "" || s.card.Identity.Serial != 0 && s.card.Status.PIN.Tries == 0
}

// gone reports whether the readers cannot be watched until something is put right.
func gone(s *session) bool { return s.foundErr != nil && s.blind }

func (c *cardScreen) choosing(s *session) bool { return c.wanted(s) == 0 && len(s.cards()) > 1 }

func (c *cardScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case foundMsg:
		c.cursor = min(c.cursor, max(0, len(s.cards())-1))
		return c.look(s)
	case statusMsg:
		if msg.request != c.asked || c.reading == 0 {
			return nil
		}
		c.reading = 0
		if c.problem = s.explain(msg.err); msg.err == nil {
			s.card = msg.status
		}
	case tea.KeyPressMsg:
		return c.press(s, msg)
	}
	return nil
}

func (c *cardScreen) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		if s.chosen != 0 && len(s.cards()) > 1 {
			s.chosen = 0
			return c.look(s)
		}
		return s.show(screenUser)
	case c.strange(s) && key.Matches(msg, s.keys.Other):
		s.taken = s.card.Identity.Serial
	case c.ready(s) && key.Matches(msg, s.keys.Next):
		s.request.Serial = s.card.Identity.Serial
		return s.show(screenPlan)
	case c.choosing(s) && key.Matches(msg, s.keys.Up):
		c.cursor = max(0, c.cursor-1)
	case c.choosing(s) && key.Matches(msg, s.keys.Down):
		c.cursor = min(len(s.cards())-1, c.cursor+1)
	case c.choosing(s) && key.Matches(msg, s.keys.Next):
		s.chosen = s.cards()[c.cursor].Serial
		return c.look(s)
	case gone(s) && key.Matches(msg, s.keys.Again):
		s.foundErr, s.watched, s.blind = nil, false, false
		return s.deps.watch()
	case c.again(s) && key.Matches(msg, s.keys.Again):
		c.problem, s.card = problem{}, desk.CardStatus{}
		return c.look(s)
	}
	return nil
}

func (c *cardScreen) view(s *session, width, _ int) string {
	lines := []string{""}
	switch {
	case s.foundErr != nil:
		lines = append(lines, problemLines(s, s.explain(s.foundErr), width)...)
		then := "It is noticed here as soon as it is back."
		if gone(s) {
			then = "When that is put right, press a to look again."
		}
		lines = append(lines, "", s.styles.Faint.Render(then))
	case !s.watched:
		lines = append(lines, s.styles.Faint.Render(markWait+" looking into the readers"))
	case c.choosing(s):
		lines = append(lines, "Several cards are there. Which one is it?", "")
		for i, card := range s.cards() {
			pointer, style := "  ", s.styles.Value
			if i == c.cursor {
				pointer, style = markNow+" ", s.styles.Selected
			}
			lines = append(lines, style.Render(fmt.Sprintf("%s%d  %s, %s", pointer, card.Serial, clean(card.Model), card.Firmware))+
				s.styles.Faint.Render("  in "+clean(card.Reader)))
		}
		lines = append(lines, "", s.styles.Faint.Render("Not sure? Pull the others: the list changes at once."))
	case c.problem.text != "":
		lines = append(lines, problemLines(s, c.problem, width)...)
	case s.card.Identity.Serial != 0:
		lines = append(lines, c.cardLines(s, width)...)
	case c.reading != 0:
		lines = append(lines, s.styles.Faint.Render(fmt.Sprintf("%s reading card %d", markWait, c.reading)))
	default:
		lines = append(lines, c.waitLines(s, width)...)
	}
	return strings.Join(lines, "\n")
}

// waitLines ask for a card, and say what is wrong with what is there.
func (c *cardScreen) waitLines(s *session, width int) []string {
	ask := "Put the card in."
	if s.assigned != 0 {
		ask = fmt.Sprintf("Put card %d in.", s.assigned)
	}
	lines := []string{s.styles.Now.Render(markNow + " " + ask), ""}
	if len(s.found) == 0 {
		return append(lines, "There is no reader yet: a YubiKey is one itself, plug it in.")
	}
	for _, found := range s.found {
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
	id, status := s.card.Identity, s.card.Status
	what := fmt.Sprintf("%s, serial %d, firmware %s", clean(id.Model), id.Serial, id.Firmware)
	if s.card.FormFactor != "" {
		what += ", " + s.card.FormFactor
	}
	lines := []string{s.styles.Title.Render(what), s.styles.Faint.Render("in " + clean(id.Reader)), ""}
	if status.PIN.Tries == 0 {
		lines = append(lines, problemLines(s, s.explain(piv.ErrPINBlocked), width)...)
		lines = append(lines, "")
	}
	if s.assigned != 0 && s.assigned != id.Serial && s.taken != id.Serial {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), fmt.Sprintf("card %d is meant for this person, and this is %d", s.assigned, id.Serial), width)...)
		lines = append(lines, "")
	}
	if other := desk.Holder(s.entries, id.Serial, s.person.Email); other != "" {
		what := "this is the card of " + clean(other)
		if c.strange(s) {
			what += ": take it out, and put this person's card in"
		}
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), what, width)...)
		lines = append(lines, "")
	}
	for _, advisory := range s.card.Advisories {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), clean(advisory), width)...)
		lines = append(lines, "")
	}
	lines = append(lines,
		"PIN             "+counterText(s, status.PIN),
		"PUK             "+counterText(s, status.PUK),
		"management key  "+strings.TrimSpace(strings.ToUpper(status.ManagementKey.Algorithm)+factoryText(s, status.ManagementKey.Factory)), "")
	return append(lines, slotLines(s, s.card, width)...)
}

func counterText(s *session, counter piv.Counter) string {
	switch counter.Tries {
	case piv.UnknownTries:
		return "tries unknown" + factoryText(s, counter.Factory)
	case 0:
		return s.styles.Bad.Render(markBad + " blocked")
	case 1:
		return s.styles.Bad.Render(markWarning+" 1 try left") + factoryText(s, counter.Factory)
	}
	return fmt.Sprintf("%d tries left", counter.Tries) + factoryText(s, counter.Factory)
}

func factoryText(s *session, factory piv.Tri) string {
	switch factory {
	case piv.Yes:
		return s.styles.Warning.Render(", still the factory one: it will be replaced")
	case piv.Unknown:
		return s.styles.Faint.Render(", factory one or not: the card does not tell")
	}
	return ", not the factory one"
}

// slotLines show the four main slots, and those of 82 to 95 that hold something.
func slotLines(s *session, card desk.CardStatus, width int) []string {
	var lines []string
	slots, retired, unknown := card.Slots()
	for _, contents := range slots {
		slot := contents.Slot
		name := slot.Name()
		if slot.Retired() {
			name = fmt.Sprintf("retired key %d", slot-piv.SlotRetiredFirst+1)
		}
		label := fmt.Sprintf("%s %-19s", strings.ToUpper(slot.String()), name)
		if contents.Empty() {
			lines = append(lines, label+" "+s.styles.Faint.Render("empty"))
			continue
		}
		lines = append(lines, wrapped(label, clean(slotText(contents)), width)...)
	}
	if unknown > 0 {
		lines = append(lines, s.styles.Faint.Render(fmt.Sprintf("82–95 cannot tell of %d retired slots whether they hold a key", unknown)))
	}
	if retired > 0 {
		lines = append(lines, s.styles.Faint.Render(fmt.Sprintf("82–95 %d of the 20 retired slots are empty", retired)))
	}
	return lines
}

func slotText(contents piv.SlotContents) string {
	text := desk.NoKey(contents.KeyUnknown)
	if k := contents.Key; k != nil {
		text = fmt.Sprintf("%s, %s, PIN %s, touch %s", k.Algorithm, k.Origin, k.PINPolicy, k.TouchPolicy)
	}
	if err := contents.CertificateProblem(); err != nil {
		return text + "; certificate: " + err.Error()
	}
	leaf := contents.Certificate
	if leaf == nil {
		return text + "; no certificate"
	}
	return fmt.Sprintf("%s; %s to %s", text, desk.Owner(leaf), leaf.NotAfter.Format(time.DateOnly))
}
