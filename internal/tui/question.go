package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// questionScreen asks what an enrollment could not know beforehand: a choice, a
// yes or no, or something to be typed.
type questionScreen struct {
	choice    *choiceAsked
	agreement *agreementAsked
	line      *inputAsked
	unclear   bool // what was typed is neither yes nor no
	cursor    int
	input     textinput.Model
}

func newQuestionScreen(s *session) *questionScreen {
	q := &questionScreen{input: newInput(s.styles, "> ")}
	q.input.Focus()
	return q
}

func (q *questionScreen) enter(s *session) {
	restyle(&q.input, s.styles)
}

func (q *questionScreen) typing(*session) bool { return q.choice == nil }

func (q *questionScreen) bindings(s *session) []key.Binding {
	if q.choice != nil {
		return []key.Binding{named(s.keys.Next, "choose"), s.keys.Up, s.keys.Down, named(s.keys.Back, "stop")}
	}
	return []key.Binding{named(s.keys.Next, "answer"), named(s.keys.Back, "stop")}
}

func (q *questionScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case choiceAsked:
		q.choice, q.agreement, q.line, q.cursor = &msg, nil, nil, 0
	case agreementAsked:
		q.choice, q.agreement, q.line, q.unclear = nil, &msg, nil, false
		q.input.SetValue("")
	case inputAsked:
		q.choice, q.agreement, q.line = nil, nil, &msg
		q.input.SetValue("")
	case otpTypedMsg:
		q.input.SetValue("")
	case tea.KeyPressMsg:
		switch {
		case q.choice != nil:
			return q.pressChoice(s, msg)
		case q.line != nil && key.Matches(msg, s.keys.Next):
			q.line.reply <- answer[string]{value: strings.TrimSpace(q.input.Value())}
			q.line = nil
			return s.tell(showMsg{screenWork})
		case q.agreement != nil && key.Matches(msg, s.keys.Next):
			return q.agree(s)
		case q.agreement != nil || q.line != nil:
			q.input, _ = q.input.Update(msg)
		}
	}
	return nil
}

func (q *questionScreen) pressChoice(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Up):
		q.cursor = max(0, q.cursor-1)
	case key.Matches(msg, s.keys.Down):
		q.cursor = min(len(q.choice.choices)-1, q.cursor+1)
	case key.Matches(msg, s.keys.Next):
		q.choice.reply <- answer[string]{value: q.choice.choices[q.cursor].ID}
		q.choice = nil
		return s.tell(showMsg{screenWork})
	}
	return nil
}

// agree takes what was typed: the word that was wanted, or yes or no spelled
// out.
func (q *questionScreen) agree(s *session) tea.Cmd {
	typed := strings.TrimSpace(q.input.Value())
	q.input.SetValue("")
	agreed := enroll.IsTyped(typed, q.agreement.want)
	if q.agreement.want == "" {
		switch strings.ToLower(typed) {
		case "yes":
			agreed = true
		case "no":
			agreed = false
		default:
			q.unclear = true
			return nil
		}
	}
	q.agreement.reply <- answer[bool]{value: agreed}
	q.agreement = nil
	return s.tell(showMsg{screenWork})
}

func (q *questionScreen) view(s *session, width, _ int) string {
	var question enroll.Question
	switch {
	case q.choice != nil:
		question = q.choice.question
	case q.agreement != nil:
		question = q.agreement.question
	case q.line != nil:
		question = q.line.question
	default:
		return ""
	}
	lines := append([]string{""}, paragraph(clean(question.Text), width)...)
	lines = append(lines, "")
	for _, loss := range question.Loss {
		for _, line := range wrapped("  lost:", clean(loss), width) {
			lines = append(lines, s.styles.Loss.Render(line))
		}
	}
	for _, line := range question.Follows {
		lines = append(lines, wrapped("-", clean(line), width)...)
	}
	if len(question.Follows) > 0 {
		lines = append(lines, "")
	}
	switch {
	case q.choice != nil:
		for i, choice := range q.choice.choices {
			pointer, style := " ", s.styles.Value
			if i == q.cursor {
				pointer, style = markNow, s.styles.Selected
			}
			for _, line := range wrapped(pointer, clean(choice.Text), width) {
				lines = append(lines, style.Render(line))
			}
		}
	case q.line != nil:
		lines = append(lines, q.input.View())
	case q.agreement.want != "":
		lines = append(lines, "Type "+clean(q.agreement.want)+" to go on, anything else to stop.", "", q.input.View())
	case q.unclear:
		lines = append(lines, s.styles.Warning.Render("Type the whole word, yes or no: nobody is to agree by a slip."), "", q.input.View())
	default:
		lines = append(lines, "Type yes or no.", "", q.input.View())
	}
	if notes := s.lastNotes(width); len(notes) > 0 {
		lines = append(append(lines, ""), notes...) // such as what is wrong with the answer before
	}
	return strings.Join(lines, "\n")
}
