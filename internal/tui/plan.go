package tui

import (
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// planTitles are the questions of the plan.
var planTitles = map[enroll.Option]string{
	enroll.OptionSource: "the key", enroll.OptionLayout: "layout", enroll.OptionSlot: "slot",
	enroll.OptionAlgorithm: "algorithm", enroll.OptionPINPolicy: "asks for PIN", enroll.OptionTouchPolicy: "asks for touch",
}

// planScreen is where the operator decides what is done, and sees it as the
// list of steps with what each changes. The questions stand on one line each: up and
// down between the questions, left and right between the answers. All answers are
// always in sight; huh, whose inline answers stand on a line of their own, would
// leave no room for the plan in a window of 24 lines.
type planScreen struct {
	plan   *desk.Plan // that the cursor is for
	cursor int        // index of the question
	serial textinput.Model
}

func newPlanScreen(s *session) *planScreen {
	p := &planScreen{serial: newInput(s.styles, "serial number  ")}
	p.serial.Focus()
	return p
}

func (*planScreen) typing(*session) bool { return false }

func (p *planScreen) enter(s *session) {
	if p.plan != s.Plan {
		p.plan, p.cursor = s.Plan, 0
	}
	restyle(&p.serial, s.styles)
}

func (p *planScreen) bindings(s *session) []key.Binding {
	first := named(s.keys.Next, "begin")
	if s.Plan.Preview == nil || s.Plan.Out {
		first = named(s.keys.Again, "look again")
	}
	if s.Plan.Settled() {
		return []key.Binding{first, s.keys.Back}
	}
	return []key.Binding{first, s.keys.Up, s.keys.Down, s.keys.Change, s.keys.Back}
}

func (p *planScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.BackgroundColorMsg:
		restyle(&p.serial, s.styles)
	case tea.KeyPressMsg:
		return p.press(s, msg)
	}
	return nil
}

// edits reports whether a key edits the serial number and means nothing else here.
func (p *planScreen) edits(msg tea.KeyPressMsg) bool {
	keys := p.serial.KeyMap
	return key.Matches(msg, keys.DeleteCharacterBackward, keys.DeleteCharacterForward, keys.DeleteBeforeCursor, keys.DeleteAfterCursor,
		keys.DeleteWordBackward, keys.DeleteWordForward, keys.LineStart, keys.LineEnd)
}

// typeSerial types into the field of the serial number.
func (p *planScreen) typeSerial(s *session, msg tea.KeyPressMsg) tea.Cmd {
	if p.serial.Value() != s.Plan.Serial {
		p.serial.SetValue(s.Plan.Serial)
	}
	p.serial, _ = p.serial.Update(msg)
	return s.tell(desk.SerialTyped{Text: p.serial.Value()})
}

func (p *planScreen) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case s.NeedsSerial() && (isDigit(msg.Text) || p.edits(msg)):
		return p.typeSerial(s, msg)
	case key.Matches(msg, s.keys.Up):
		p.move(s, -1)
	case key.Matches(msg, s.keys.Down):
		p.move(s, 1)
	case key.Matches(msg, s.keys.Change):
		question := s.Plan.Questions[p.cursor]
		step := 1
		if msg.Code == tea.KeyLeft {
			step = len(question.Choices) - 1
		}
		if len(question.Choices) > 1 {
			return s.tell(desk.KeyChosen{Option: question.Option, ID: question.Choices[(question.Answer+step)%len(question.Choices)].ID})
		}
	default:
		return s.act(msg, []key.Binding{s.keys.Next, s.keys.Again, s.keys.Back})
	}
	return nil
}

// move goes to the next question in that direction that arises.
func (p *planScreen) move(s *session, step int) {
	for i := p.cursor + step; i >= 0 && i < len(s.Plan.Questions); i += step {
		if !s.Plan.Questions[i].Hidden {
			p.cursor = i
			return
		}
	}
}

// problem is why the plan cannot begin as it is, and what to do here.
func (*planScreen) problem(s *session) problem {
	problem := s.explain(s.Problem)
	var empty *enroll.EmptyError
	var conflict *enroll.ConflictError
	var notAgreed *desk.NotAgreedError
	switch {
	case errors.As(s.Problem, &empty):
		problem.hint = "choose to generate a new key with ← and →"
	case errors.As(s.Problem, &conflict):
		problem.hint = "choose it as it is, or with ← and → a new key in place of the enrolled one"
	case errors.As(s.Problem, &notAgreed):
		problem.hint = "type it and press enter, or choose something else"
	}
	return problem
}

func (p *planScreen) view(s *session, width, _ int) string {
	plan := s.Plan
	lines := append(p.questionLines(s), "")
	if plan.Out {
		lines = append(lines, s.styles.Warning.Render(fmt.Sprintf("%s card %d is out: put it back in to begin", markWarning, s.Request.Serial)))
		lines = append(append(lines, otherCardLines(s, s.Request.Serial)...), "")
	}
	if s.Problem != nil {
		lines = append(lines, problemLines(s, p.problem(s), width)...)
		lines = append(lines, "")
	}
	if plan.Preview == nil && !plan.Out && s.Problem == nil {
		lines = append(lines, s.styles.Faint.Render(markWait+" looking what that would do to the card"))
		lines = append(append(lines, retryLines(s, width)...), "")
	}
	if losses := plan.Losses(); len(losses) > 0 {
		lines = append(lines, s.styles.Loss.Render(markBad+" LOST FOR EVER if this begins:"))
		for _, loss := range losses {
			for _, line := range wrapped("  -", clean(loss), width) {
				lines = append(lines, s.styles.Loss.Render(line))
			}
		}
		if s.NeedsSerial() {
			if p.serial.Value() != plan.Serial {
				p.serial.SetValue(plan.Serial)
			}
			lines = append(lines, fmt.Sprintf("To agree, type the card's serial number, %d:", s.Request.Serial), p.serial.View(), "")
		} else {
			lines = append(lines, "")
		}
	}
	return strings.Join(append(lines, p.steps(s, width)...), "\n")
}

// questionLines draw the questions with their answers.
func (p *planScreen) questionLines(s *session) []string {
	var lines []string
	for i, question := range s.Plan.Questions {
		if question.Hidden {
			continue
		}
		title, text := planTitles[question.Option], question.Choices[question.Answer].Text
		if i != p.cursor {
			lines = append(lines, s.styles.Label.Render(fmt.Sprintf("  %-16s", title))+"   "+text)
			continue
		}
		if len(question.Choices) == 1 {
			lines = append(lines, s.styles.Selected.Render(fmt.Sprintf("%s %-16s", markNow, title)+"   "+text))
			continue
		}
		lines = append(lines, s.styles.Selected.Render(fmt.Sprintf("%s %-16s", markNow, title)+" ← "+text+" →")+
			s.styles.Faint.Render(fmt.Sprintf("%s%d of %d", strings.Repeat(" ", 3), question.Answer+1, len(question.Choices))))
	}
	return lines
}

// steps list what a run would come to at each step.
func (p *planScreen) steps(s *session, width int) []string {
	preview := s.Plan.Preview
	if preview == nil {
		return planLines(s, p.planned(s), width)
	}
	lines := valueLines(s, describe.Continued(preview), width)
	return append(lines, planLines(s, preview.Steps, width)...)
}

// planned are the steps of a plan of which nothing else is known yet.
func (*planScreen) planned(s *session) (steps []enroll.StepPreview) {
	request := s.PlannedRequest()
	request.Review = true
	for _, step := range enroll.NewPlan(request) {
		steps = append(steps, enroll.StepPreview{Step: step})
	}
	return steps
}

// planLines list the steps, and what each comes to or changes.
func planLines(s *session, steps []enroll.StepPreview, width int) []string {
	lines := []string{s.styles.Title.Render("What will be done")}
	for i, step := range steps {
		value := describe.Step(step)
		lines = append(lines, fmt.Sprintf("%2d  %-59s ", i+1, ansi.Truncate(clean(value.Label), 59, "…"))+valueText(s, value))
		for _, detail := range value.Details {
			lines = append(lines, wrapped("   ", clean(detail), width)...)
		}
	}
	return lines
}

func isDigit(text string) bool { return len(text) == 1 && text[0] >= '0' && text[0] <= '9' }
