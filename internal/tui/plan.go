package tui

import (
	"context"
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
	asked   int             // number of the latest question for the preview
	preview *enroll.Preview // nil until it is known
	stop    func()          // ends the looking that was begun last
	// chosen says that the person changed something: what nobody chose is as it was
	// begun.
	chosen bool
	// own are the keys that the person has on the card, which a new one can take
	// the place of.
	own []string
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
		p.choices, p.firmware, p.own = planChoices(s.request.Keys, firmware), firmware, slices.Clone(s.request.Replace)
		if p.choices.offer(askSource, desk.SourcesFor(p.own)); len(p.own) > 0 {
			p.choices.choose(askSource, desk.SourceReplace) // as the command line asks
		}
	case firmware != piv.Version{} && firmware != p.firmware:
		p.choices, p.firmware = planChoices(p.keys(), firmware), firmware
		p.choices.offer(askSource, desk.SourcesFor(p.own))
	}
	restyle(&p.serial, s.styles)
	if p.card != s.request.Serial {
		if p.card != 0 {
			p.own = nil
			p.choices.offer(askSource, desk.SourcesFor(nil))
		}
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
	source := enroll.SourceGenerate
	if p.choices.value(askSource) == string(enroll.SourceExisting) {
		source = enroll.SourceExisting
	}
	return enroll.Layout(p.choices.value(askLayout)).Keys(enroll.KeyRequest{
		Slot: slot, Source: source,
		Algorithm: piv.Algorithm(p.choices.value(askAlgorithm)),
		PINPolicy: piv.PINPolicy(p.choices.value(askPIN)), TouchPolicy: piv.TouchPolicy(p.choices.value(askTouch)),
	})
}

// ask looks what the plan would find and do on the card.
func (p *planScreen) ask(s *session) tea.Cmd {
	p.asked++
	if p.stop != nil {
		p.stop() // nobody waits for that answer any more
	}
	ctx, stop := context.WithCancel(s.deps.ctx)
	p.stop = stop
	generated := p.choices.value(askSource) != string(enroll.SourceExisting)
	for _, title := range []string{askAlgorithm, askPIN, askTouch} {
		p.choices.hide(title, !generated)
	}
	p.choices.hide(askSlot, p.choices.value(askLayout) == string(enroll.LayoutSplit))
	p.preview = nil
	return s.deps.preview(ctx, p.asked, p.request(s))
}

// request is the enrollment as it is chosen now.
func (p *planScreen) request(s *session) enroll.Request {
	request := s.request
	if p.chosen {
		request = request.Choose(p.keys())
	}
	request.Replace = nil
	if p.choices.value(askSource) == desk.SourceReplace {
		request.Replace = p.own
	}
	return request.Agree(nil)
}

func (p *planScreen) bindings(s *session) []key.Binding {
	first := named(s.keys.Next, "begin")
	if p.preview == nil || p.out {
		first = named(s.keys.Again, "look again")
	}
	return []key.Binding{first, s.keys.Up, s.keys.Down, s.keys.Change, s.keys.Back}
}

func (p *planScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.BackgroundColorMsg:
		restyle(&p.serial, s.styles)
	case previewMsg:
		if msg.request == p.asked {
			return p.looked(s, msg)
		}
	case foundMsg:
		if s.strange(s.request.Serial) {
			return s.show(screenCard)
		}
		was := p.out
		p.out = p.isOut(s)
		if !p.out && (was || p.preview == nil && p.problem.text != "") {
			return p.ask(s) // it may hold something else now
		}
	case tea.KeyPressMsg:
		return p.press(s, msg)
	}
	return nil
}

// looked takes in what the plan would come to. The serial number that was typed
// for another loss is forgotten.
func (p *planScreen) looked(s *session, msg previewMsg) tea.Cmd {
	p.stop()
	p.preview, p.problem = msg.preview, s.explain(msg.err)
	if msg.err != nil {
		p.preview = nil
		return nil
	}
	source := p.choices.value(askSource)
	if !p.chosen && !slices.Equal(p.keys(), p.preview.Request.Keys) {
		s.request.Keys = p.preview.Request.Keys
		p.choices = planChoices(s.request.Keys, p.firmware)
	}
	known := len(p.own)
	for _, key := range p.preview.UsersKeys() {
		if !slices.Contains(p.own, key) {
			p.own = append(p.own, key)
		}
	}
	p.choices.offer(askSource, desk.SourcesFor(p.own))
	if source == desk.SourceReplace {
		p.choices.choose(askSource, source)
	}
	if source == desk.SourceReplace && len(p.own) > known {
		return p.ask(s) // with those, too
	}
	if losses := p.preview.Losses(); !slices.Equal(losses, p.losses) {
		p.losses = losses
		p.serial.SetValue("")
	}
	return nil
}

// lost is what would be lost for ever, as far as it is known.
func (p *planScreen) lost() []string {
	if p.preview == nil {
		return nil
	}
	return p.preview.Losses()
}

func (p *planScreen) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		return s.show(screenCard)
	case key.Matches(msg, s.keys.Again):
		return p.ask(s)
	case key.Matches(msg, s.keys.Next):
		return p.begin(s)
	case len(p.lost()) > 0 && (isDigit(msg.Text) || msg.Code == tea.KeyBackspace):
		p.serial, _ = p.serial.Update(msg)
		p.problem = problem{}
		return nil
	}
	if p.choices.press(s.keys, msg) {
		p.chosen, p.problem = true, problem{}
		return p.ask(s)
	}
	return nil
}

// begin starts the enrollment, once what would be lost was agreed to.
func (p *planScreen) begin(s *session) tea.Cmd {
	request := p.request(s)
	if p.preview == nil || p.out {
		return nil
	}
	if err := p.preview.Refused(); err != nil {
		p.problem = s.explain(err)
		var empty *enroll.EmptyError
		if errors.As(err, &empty) {
			p.problem.hint = "choose to generate a new key with ← and →"
		}
		var conflict *enroll.ConflictError
		if errors.As(err, &conflict) {
			p.problem.hint = "choose it as it is, or with ← and → a new key in place of the enrolled one"
		}
		return nil
	}
	if losses := p.lost(); len(losses) > 0 {
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
	if p.preview == nil && !p.out && p.problem.text == "" {
		lines = append(lines, s.styles.Faint.Render(markWait+" looking what that would do to the card"), "")
	}
	if losses := p.lost(); len(losses) > 0 {
		lines = append(lines, s.styles.Loss.Render(markBad+" LOST FOR EVER if this begins:"))
		for _, loss := range losses {
			for _, line := range wrapped("  -", clean(loss), width) {
				lines = append(lines, s.styles.Loss.Render(line))
			}
		}
		lines = append(lines, fmt.Sprintf("To agree, type the card's serial number, %d:", s.request.Serial), p.serial.View(), "")
	}
	return strings.Join(append(lines, p.steps(s, width)...), "\n")
}

// steps list what a run would come to at each step.
func (p *planScreen) steps(s *session, width int) []string {
	if p.preview == nil {
		return planLines(s, p.planned(s), width)
	}
	var lines []string
	for _, slot := range p.preview.Slots {
		if slot.Action == enroll.ActionContinue {
			lines = append(lines, s.styles.OK.Render(markOK)+fmt.Sprintf(" slot %s holds the key that was generated for this user: it goes on with it", strings.ToUpper(slot.Slot.String())))
		}
	}
	return append(lines, planLines(s, p.preview.Steps, width)...)
}

// planned are the steps of a plan of which nothing else is known yet.
func (p *planScreen) planned(s *session) (steps []enroll.StepPreview) {
	request := p.request(s)
	request.Review = true
	for _, step := range enroll.NewPlan(request) {
		steps = append(steps, enroll.StepPreview{Step: step})
	}
	return steps
}

// planLines list the steps, and what each comes to or changes.
func planLines(s *session, steps []enroll.StepPreview, width int) []string {
	lines := []string{s.styles.Title.Render(fmt.Sprintf("%-63s %s", "What will be done", "changes"))}
	for i, step := range steps {
		state := s.styles.Faint.Render(step.Changes)
		switch {
		case step.Outcome == enroll.OutcomeStop:
			state = s.styles.Loss.Render("stops")
		case step.Outcome == enroll.OutcomeSkipped:
			state = s.styles.Value.Render("left")
		case step.Outcome == enroll.OutcomeAlready:
			state = s.styles.OK.Render("already so")
		case step.Changes == "card" || step.Changes == "Gmail":
			state = s.styles.Value.Render(step.Changes)
		}
		lines = append(lines, fmt.Sprintf("%2d  %-59s %s", i+1, ansi.Truncate(step.Title, 59, "…"), state))
		if step.Err != nil {
			lines = append(lines, wrapped("    "+markBad, clean(step.Err.Error()), width)...)
		}
		for _, note := range step.Notes {
			lines = append(lines, wrapped("   ", clean(note), width)...)
		}
	}
	return lines
}

func isDigit(text string) bool { return len(text) == 1 && text[0] >= '0' && text[0] <= '9' }
