package tui

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// The questions of the plan.
const (
	askSource    = "the key"
	askLayout    = "layout"
	askSlot      = "slot"
	askAlgorithm = "algorithm"
	askPIN       = "asks for PIN"
	askTouch     = "asks for touch"
)

// planScreen is where the operator decides what is done, and sees it as the
// list of steps with what each changes.
type planScreen struct {
	choices choices
	// firmware is that of the card for which the choices were made.
	firmware piv.Version
	// card is the one that it was made for.
	card    uint32
	serial  textinput.Model
	asked   int // number of the latest question for the outlook
	known   bool
	outlook []enroll.SlotOutlook
	// losses is what the serial number was typed for.
	losses  []string
	problem problem
	out     bool // the card is in no reader
}

func newPlanScreen(s *session) *planScreen {
	p := &planScreen{serial: newInput(s.styles, "serial number  ")}
	p.serial.Focus()
	return p
}

func (p *planScreen) typing() bool { return false }

func (p *planScreen) enter(s *session) tea.Cmd {
	firmware := s.card.Identity.Firmware
	switch {
	case p.choices.rows == nil:
		p.choices, p.firmware = planChoices(s.request.Keys, firmware), firmware
	case firmware != piv.Version{} && firmware != p.firmware:
		p.choices, p.firmware = planChoices(p.keys(), firmware), firmware
	}
	restyle(&p.serial, s.styles)
	if p.card != s.request.Serial {
		p.card, p.losses = s.request.Serial, nil
		p.serial.SetValue("")
	}
	p.problem, p.out = problem{}, p.isOut(s)
	if s.strange(p.card) {
		return s.show(screenCard) // it was pulled meanwhile
	}
	return p.ask(s)
}

// isOut reports whether the card that the plan is for is in no reader.
func (p *planScreen) isOut(s *session) bool { return s.watched && !s.present(s.request.Serial) }

// planChoices asks what the keys shall be, those of the request preselected.
func planChoices(keys []enroll.KeyRequest, firmware piv.Version) choices {
	layout, key := enroll.LayoutOf(keys)
	var c choices
	c.add(askSource, string(key.Source), desk.Sources())
	c.add(askLayout, string(layout), desk.Layouts())
	c.add(askSlot, key.Slot.String(), desk.Slots())
	c.add(askAlgorithm, string(key.Algorithm), desk.Algorithms(firmware))
	c.add(askPIN, string(key.PINPolicy), desk.PINPolicies())
	c.add(askTouch, string(key.TouchPolicy), desk.TouchPolicies())
	return c
}

// keys are the answers as a request has them.
func (p *planScreen) keys() []enroll.KeyRequest {
	slot, err := piv.ParseSlot(p.choices.value(askSlot))
	if err != nil {
		slot = piv.SlotKeyManagement // every option is a slot
	}
	return enroll.Layout(p.choices.value(askLayout)).Keys(enroll.KeyRequest{
		Slot: slot, Source: enroll.Source(p.choices.value(askSource)),
		Algorithm: piv.Algorithm(p.choices.value(askAlgorithm)),
		PINPolicy: piv.PINPolicy(p.choices.value(askPIN)), TouchPolicy: piv.TouchPolicy(p.choices.value(askTouch)),
	})
}

// ask looks what the plan would find and do on the card.
func (p *planScreen) ask(s *session) tea.Cmd {
	p.asked++
	generated := p.choices.value(askSource) == string(enroll.SourceGenerate)
	for _, title := range []string{askAlgorithm, askPIN, askTouch} {
		p.choices.hide(title, !generated)
	}
	p.choices.hide(askSlot, p.choices.value(askLayout) == string(enroll.LayoutSplit))
	p.known, p.outlook = false, nil
	return s.world.outlook(p.asked, p.request(s))
}

// request is the enrollment as it is chosen now.
func (p *planScreen) request(s *session) enroll.Request {
	request := s.request
	request.Keys = p.keys()
	return request.Agree(nil)
}

func (p *planScreen) bindings(s *session) []key.Binding {
	first := named(s.keys.Next, "begin")
	if !p.known || p.out {
		first = named(s.keys.Again, "look again")
	}
	return []key.Binding{first, s.keys.Up, s.keys.Down, s.keys.Change, s.keys.Back}
}

func (p *planScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.BackgroundColorMsg:
		restyle(&p.serial, s.styles)
	case outlookMsg:
		if msg.request == p.asked {
			p.known, p.outlook, p.problem = msg.err == nil, msg.slots, s.explain(msg.err)
			p.settle()
		}
	case foundMsg:
		if s.strange(s.request.Serial) {
			return s.show(screenCard)
		}
		was := p.out
		p.out = p.isOut(s)
		if !p.out && (was || !p.known && p.problem.text != "") {
			return p.ask(s) // it may hold something else now
		}
	case tea.KeyPressMsg:
		return p.press(s, msg)
	}
	return nil
}

// settle forgets the serial number that was typed for another loss.
func (p *planScreen) settle() {
	if losses := enroll.Losses(p.outlook); p.known && !slices.Equal(losses, p.losses) {
		p.losses = losses
		p.serial.SetValue("")
	}
}

func (p *planScreen) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		return s.show(screenCard)
	case key.Matches(msg, s.keys.Again):
		return p.ask(s)
	case key.Matches(msg, s.keys.Next):
		return p.begin(s)
	case len(enroll.Losses(p.outlook)) > 0 && (isDigit(msg.Text) || msg.Code == tea.KeyBackspace):
		p.serial, _ = p.serial.Update(msg)
		p.problem = problem{}
		return nil
	}
	if p.choices.press(s.keys, msg) {
		p.problem = problem{}
		return p.ask(s)
	}
	return nil
}

// begin starts the enrollment, once what would be lost was agreed to.
func (p *planScreen) begin(s *session) tea.Cmd {
	request := p.request(s)
	if !p.known || p.out {
		return nil
	}
	if err := enroll.Workable(request, p.outlook); err != nil {
		p.problem = s.explain(err)
		var empty *enroll.EmptyError
		if errors.As(err, &empty) {
			p.problem.hint = "choose to generate a new key with ← and →"
		}
		return nil
	}
	if losses := enroll.Losses(p.outlook); len(losses) > 0 {
		want := strconv.FormatUint(uint64(request.Serial), 10)
		if p.serial.Value() != want {
			p.problem = problem{text: "what would be lost is not agreed to: the card's serial number is " + want, hint: "type it and press enter, or choose something else"}
			return nil
		}
		p.serial.SetValue("") // it was for this once
		request = request.Agree(losses)
	}
	return s.tell(beginMsg{request})
}

func (p *planScreen) view(s *session, width, _ int) string {
	lines := append(p.choices.view(s.styles), "")
	if p.out {
		lines = append(lines, s.styles.Warning.Render(fmt.Sprintf("%s card %d is out: put it back in to begin", markWarning, s.request.Serial)), "")
	}
	if p.problem.text != "" {
		lines = append(lines, problemLines(s, p.problem, width)...)
		lines = append(lines, "")
	}
	if !p.known && !p.out && p.problem.text == "" {
		lines = append(lines, s.styles.Faint.Render(markWait+" looking what that would do to the card"), "")
	}
	if losses := enroll.Losses(p.outlook); len(losses) > 0 {
		lines = append(lines, s.styles.Loss.Render(markBad+" LOST FOR EVER if this begins:"))
		for _, loss := range losses {
			for _, line := range wrapped("  -", clean(loss), width) {
				lines = append(lines, s.styles.Loss.Render(line))
			}
		}
		lines = append(lines, fmt.Sprintf("To agree, type the card's serial number, %d:", s.request.Serial), p.serial.View(), "")
	}
	for _, slot := range p.outlook {
		if slot.Fate == enroll.FateContinue {
			lines = append(lines, s.styles.OK.Render(markOK)+fmt.Sprintf(" slot %s holds the key that was generated for this user: it goes on with it", strings.ToUpper(slot.Slot.String())))
		}
	}
	return strings.Join(append(lines, planLines(s, p.request(s))...), "\n")
}

// planLines list the steps and what each changes.
func planLines(s *session, request enroll.Request) []string {
	request.Review = true
	lines := []string{s.styles.Title.Render(fmt.Sprintf("%-63s %s", "What will be done", "changes"))}
	for i, step := range enroll.NewPlan(request) {
		changes := s.styles.Faint.Render(step.Changes)
		if step.Changes == "card" || step.Changes == "Gmail" {
			changes = s.styles.Value.Render(step.Changes)
		}
		lines = append(lines, fmt.Sprintf("%2d  %-59s %s", i+1, ansi.Truncate(step.Title, 59, "…"), changes))
	}
	return lines
}

func isDigit(text string) bool { return len(text) == 1 && text[0] >= '0' && text[0] <= '9' }
