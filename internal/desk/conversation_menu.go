package desk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// Menu is what else can be done for the person, and with the card that is shown.
type Menu struct {
	Choices []MenuChoice
	from    Phase // that it was opened in
}

// MenuQuestion is what the menu asks.
func (c *Conversation) MenuQuestion() string {
	if first := c.Menu.Choices[0]; first.Reason != "" {
		return describe.Command(first.Command).Label + ": why?"
	}
	return "what is to be done for " + c.meant().Email + "?"
}

// MenuChoice is one of the choices of a Menu.
type MenuChoice struct {
	Command status.Command
	Renew   enroll.Renewal     // of a renewal
	Reason  termination.Reason // for which a card's use ends; empty until it was asked
	// Card is the card that the choice is about, where another one or none is in the reader; 0 for none.
	Card uint32
	// GivesUp says that the choice ends a replacement that was begun: the former card is used on.
	GivesUp bool
}

// MenuText says what a choice does, which card it needs, and what it loses.
func (c *Conversation) MenuText(choice MenuChoice) describe.Value {
	value := describe.MenuChoice(choice.Command, choice.Renew, choice.Reason)
	if choice.GivesUp {
		value = describe.GivesUp()
	}
	if choice.Renew != "" && c.renewing() != "" {
		value.Text += "; it was begun, and can be taken back only when it is finished"
	}
	switch {
	case choice.Card == 0:
	case choice.Command == status.CommandUndo:
		value.Text += fmt.Sprintf("; card %d keeps its key, unless it is in the reader", choice.Card)
	default:
		value.Text += fmt.Sprintf("; card %d has to be in the reader", choice.Card)
	}
	return value
}

// MenuChoices lists what can be chosen now besides an enrollment: what the state of the card
// allows that was read, and what the person's registration at Gmail does.
func (c *Conversation) MenuChoices() []MenuChoice {
	var legal []status.Command
	atCard := c.Phase == PhaseCard || c.Phase == PhasePlan
	if atCard && c.Card.Identity.Serial != 0 && !c.Strange(c.Card.Identity.Serial) {
		legal = c.legalOfCard()
	}
	if (atCard || c.Phase == PhaseUser && c.Answered && c.Problem == nil) && c.registered() {
		legal = append(legal, c.legalOfPerson()...)
	}
	var choices []MenuChoice
	if (atCard || c.Phase == PhaseUser && c.Answered) && c.MayGiveUp() {
		choices = append(choices, MenuChoice{Command: status.CommandUndo, GivesUp: true})
	}
	for _, command := range []status.Command{
		status.CommandUnblock, status.CommandChangePIN, status.CommandRenew, status.CommandReplace,
		status.CommandLost, status.CommandLeave, status.CommandUndo, status.CommandHistory,
	} {
		switch {
		case !slices.Contains(legal, command):
		case command == status.CommandRenew && c.renewing() != "":
			choices = append(choices, MenuChoice{Command: command, Renew: c.renewing(), Card: c.missing(command)})
		case command == status.CommandRenew:
			for _, kind := range []enroll.Renewal{enroll.RenewNewKey, enroll.RenewSameKey} {
				choices = append(choices, MenuChoice{Command: command, Renew: kind, Card: c.missing(command)})
			}
		default:
			choices = append(choices, MenuChoice{Command: command, Card: c.missing(command)})
		}
	}
	return choices
}

// renewing is the renewal that was begun for the person and is not finished; empty for none.
func (c *Conversation) renewing() enroll.Renewal {
	entry, _ := c.Entry(c.meant().Email)
	if entry.Renewal == nil || entry.Stage == enroll.StageDone {
		return ""
	}
	return enroll.Renewal(entry.Renewal.Kind)
}

// begunReplacement is the replacement that was begun for the person and has not come to its end; nil for none.
func (c *Conversation) begunReplacement() *enroll.Replacement {
	if entry, _ := c.Entry(c.meant().Email); entry.Replaces != nil {
		return entry.Replaces
	}
	return c.replaced[strings.ToLower(c.meant().Email)]
}

// MayGiveUp reports whether a replacement was begun for the person, which can be given up where the former card is
// found again.
func (c *Conversation) MayGiveUp() bool { return c.begunReplacement() != nil }

// shown is the serial number of the card that was read and that the menu is about; 0 for none.
func (c *Conversation) shown() uint32 {
	if c.Phase == PhaseUser || c.Phase == PhaseMenu && c.Menu.from == PhaseUser {
		return 0
	}
	return c.Card.Identity.Serial
}

// used are the cards that the person's identity uses, as far as Gmail knows them.
func (c *Conversation) used() []uint32 {
	return cardsOf(c.AtGmail.KeyPairs, func(pair gmail.KeyPair) bool { return c.AtGmail.Identity != nil && c.AtGmail.Identity.Uses(pair.ID) })
}

// missing is the card that a command is about, where that is not the one that is shown; 0 where it is, or any
// will do, or it is not known.
func (c *Conversation) missing(command status.Command) uint32 {
	entry, _ := c.Entry(c.meant().Email)
	var about []uint32
	switch {
	case command == status.CommandUndo, command == status.CommandRenew && c.renewing() != "":
		about = []uint32{entry.Progress.Serial}
	case command == status.CommandRenew:
		about = c.used()
	}
	if len(about) == 0 || slices.Contains(about, c.shown()) {
		return 0
	}
	return about[0]
}

// legalOfCard lists what may be done with the card that was read.
func (c *Conversation) legalOfCard() (legal []status.Command) {
	held := c.Card.Status
	for _, transition := range c.CardState().Next() {
		switch transition.Command {
		case status.CommandUnblock:
			if held.PUK.Tries != 0 {
				legal = append(legal, transition.Command)
			}
		case status.CommandChangePIN:
			legal = append(legal, transition.Command)
		case status.CommandHistory:
			if slices.ContainsFunc(held.Slots, func(contents piv.SlotContents) bool { return contents.Slot.Retired() && contents.Certificate != nil }) {
				legal = append(legal, transition.Command)
			}
		}
	}
	return legal
}

// legalOfPerson lists what may be done for somebody who is registered, whatever card is there.
func (c *Conversation) legalOfPerson() (legal []status.Command) {
	entry, _ := c.Entry(c.meant().Email)
	blocked := c.shown() != 0 && c.Card.Status.PIN.Tries == 0 && c.missing(status.CommandRenew) == 0
	for _, transition := range status.StateRegistered.Next() {
		switch command := transition.Command; command {
		case status.CommandReplace, status.CommandLost, status.CommandLeave:
			legal = append(legal, command)
		case status.CommandRenew:
			if !blocked && !c.Renews() && !c.MayGiveUp() {
				legal = append(legal, command)
			}
		case status.CommandUndo:
			if entry.Stage == enroll.StageDone && entry.By == "" { // the evidence is here
				legal = append(legal, command)
			}
		}
	}
	return legal
}

// meant is the person whom the menu is about.
func (c *Conversation) meant() Person {
	if c.Phase == PhaseUser || c.Phase == PhaseMenu && c.Menu.from == PhaseUser {
		return c.Picked
	}
	return c.Person
}

// registered reports whether Gmail has something of the person that can end or be renewed.
func (c *Conversation) registered() bool {
	if !strings.EqualFold(c.Picked.Email, c.meant().Email) {
		return false // Gmail's answer is about somebody else
	}
	return c.AtGmail.Identity != nil || slices.ContainsFunc(c.AtGmail.KeyPairs, func(pair gmail.KeyPair) bool { return pair.Enabled && pair.Hardware() })
}

// CardState is the state of the card that was read, as far as the desk knows it.
func (c *Conversation) CardState() status.State {
	card := status.Card{Identity: c.Card.Identity, Status: c.Card.Status, Gmail: &registered.State{KeyPairs: c.AtGmail.KeyPairs, Identity: c.AtGmail.Identity}}
	if entry, _ := c.Entry(c.Person.Email); entry.Progress.Serial == card.Identity.Serial && entry.Stage != enroll.StageNone {
		card.Begun = &status.Begun{Email: entry.Email, Serial: entry.Progress.Serial, Since: entry.When, Finished: entry.Stage == enroll.StageDone, Renewal: entry.Renewal, MovesFrom: entry.MovesFrom,
			Replaces: entry.Replaces != nil, Registered: entry.Registered}
		if entry.Replaces != nil {
			card.Begun.Former = entry.Replaces.Cards
		}
	}
	return card.State()
}

// Former reports whether a card is one that another is to take the place of.
func (c *Conversation) Former(serial uint32) bool { return c.Request.Replaces.Of(serial) }

// cardsBefore are the cards that the person's identity used before a card was enrolled here, as far as
// Gmail has them still.
func (c *Conversation) cardsBefore(serial uint32) (cards []uint32) {
	entry, _ := c.Entry(c.Person.Email)
	if entry.Progress.Serial != serial {
		return nil
	}
	return cardsOf(c.AtGmail.KeyPairs, func(pair gmail.KeyPair) bool {
		return slices.Contains(entry.Before, pair.ID) && registered.SerialOf(pair) != serial
	})
}

// cardsOf are the serial numbers of the cards of those key pairs that are wanted.
func cardsOf(pairs []gmail.KeyPair, wanted func(gmail.KeyPair) bool) (cards []uint32) {
	for _, pair := range pairs {
		if serial := registered.SerialOf(pair); serial != 0 && wanted(pair) && !slices.Contains(cards, serial) {
			cards = append(cards, serial)
		}
	}
	return cards
}

// Replaces is the reason for which the person gets another card; empty where they do not.
func (c *Conversation) Replaces() termination.Reason {
	if c.Request.Replaces == nil {
		return ""
	}
	return c.Request.Replaces.Reason
}

// Purpose says what the person is served for, where that is no enrollment as of everybody; ""
// for that.
func (c *Conversation) Purpose() string {
	switch {
	case c.Replaces() != "":
		return describe.Command(status.CommandReplace).Label + ": " + string(c.Replaces())
	case c.Request.Renew != "" && !c.Renews():
		return describe.MenuChoice(status.CommandRenew, c.Request.Renew, "").Label
	}
	return ""
}

// openMenu shows what else can be chosen.
func (c *Conversation) openMenu() []Effect {
	if choices := c.MenuChoices(); len(choices) > 0 {
		c.Menu = &Menu{Choices: choices, from: c.Phase}
		if c.Phase == PhasePlan {
			c.Menu.from = PhaseCard
		}
		c.Phase = PhaseMenu
	}
	return nil
}

// leaveMenu goes back to where the menu was opened.
func (c *Conversation) leaveMenu() []Effect {
	c.Problem, c.Retry = nil, nil
	if c.Phase = c.Menu.from; c.Phase == PhaseCard {
		c.Reading = 0
		return c.readCard()
	}
	return nil
}

// menuChosen follows a choice. The reason for which a card's use ends is asked next.
func (c *Conversation) menuChosen(at int) []Effect {
	if c.Phase != PhaseMenu || at < 0 || at >= len(c.Menu.Choices) {
		return nil
	}
	choice := c.Menu.Choices[at]
	switch {
	case choice.GivesUp:
		return c.keepFormer()
	case choice.Command == status.CommandRenew:
		return c.renew(choice)
	case choice.Command == status.CommandLost && choice.Reason == "":
		return c.askReason(choice.Command, termination.LossReasons())
	case choice.Command == status.CommandReplace && choice.Reason == "":
		return c.askReason(choice.Command, termination.ReplaceReasons())
	case choice.Command == status.CommandReplace:
		return c.replace(choice.Reason)
	case choice.Command == status.CommandLeave:
		choice.Reason = termination.ReasonLeft
	case choice.Command == status.CommandUndo:
		choice.Reason = termination.ReasonWrongPerson
	}
	task := Task{Command: choice.Command, Reason: choice.Reason, Email: c.meant().Email, Serial: c.Card.Identity.Serial}
	if c.Menu.from == PhaseUser {
		task.Serial = 0
		c.Person, c.Plan, c.Card, c.Request = c.Picked, nil, CardStatus{}, enroll.Request{Email: c.Picked.Email}
	}
	return c.beginTask(task)
}

// askReason asks why a card's use ends.
func (c *Conversation) askReason(command status.Command, reasons []termination.Reason) []Effect {
	menu := &Menu{from: c.Menu.from}
	for _, reason := range reasons {
		menu.Choices = append(menu.Choices, MenuChoice{Command: command, Reason: reason})
	}
	c.Menu = menu
	return nil
}

// renew goes on to the plan of a renewal.
func (c *Conversation) renew(choice MenuChoice) []Effect {
	atCard := c.Menu.from == PhaseCard && c.Ready() && choice.Card == 0
	if atCard {
		c.Plan, c.Request.Renew, c.Request.Serial = nil, choice.Renew, c.Card.Identity.Serial
		return c.enter(PhasePlan)
	}
	effects := c.serve(c.meant())
	c.Plan, c.Request.Renew = nil, choice.Renew
	if choice.Card != 0 && c.Phase == PhaseCard {
		c.Assigned, c.Request.Serial = choice.Card, choice.Card
		return c.enter(PhaseCard)
	}
	return effects
}

// keepFormer ends a replacement that was begun. Where nothing of it is written down, it is forgotten.
func (c *Conversation) keepFormer() []Effect {
	person := c.meant()
	entry, _ := c.Entry(person.Email)
	if entry.Replaces == nil {
		delete(c.replaced, strings.ToLower(person.Email))
		return c.serve(person)
	}
	c.Person, c.Plan, c.Card, c.Request = person, nil, CardStatus{}, enroll.Request{Email: person.Email}
	return c.beginTask(Task{Command: status.CommandUndo, Reason: termination.ReasonWrongPerson, Email: person.Email, Serial: entry.Progress.Serial, GivesUp: true})
}

// replace goes on to the card that takes the place of the one before.
func (c *Conversation) replace(reason termination.Reason) []Effect {
	c.serve(c.meant())
	c.Plan, c.Request.Replaces = nil, &enroll.Replacement{Reason: reason, Cards: c.used()}
	if layout, key := enroll.LayoutOf(c.Request.Keys); key.Source == enroll.SourceExisting { // on the former card
		_, key = enroll.LayoutOf(c.base.Keys)
		c.Request.Keys = layout.Keys(key)
	}
	c.copies = len(c.Request.Copies) == 0 && slices.Contains(termination.LossReasons(), reason) // else the user reads with the former card
	if c.Former(c.Assigned) {
		c.Assigned = 0
	}
	c.Request.Serial = c.Assigned
	return c.enter(PhaseCard)
}
