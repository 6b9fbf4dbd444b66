package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// maxSecret is the longest secret that is typed, a management key in
// hexadecimal.
const maxSecret = 64

// pinScreen has the user type a PIN, twice when it is new. Nothing of it is
// drawn, not even its length.
type pinScreen struct {
	asked   *secretAsked // nil when nothing is asked
	input   textinput.Model
	first   secret.Secret // of a new secret, while it is typed again
	again   bool
	problem string
}

func newPINScreen(s *session) *pinScreen {
	p := &pinScreen{input: newInput(s.styles, "")}
	p.input.EchoMode = textinput.EchoNone
	p.input.CharLimit = maxSecret
	p.input.Focus()
	return p
}

func (p *pinScreen) enter(*session) tea.Cmd { return nil }
func (p *pinScreen) typing() bool           { return true }

func (p *pinScreen) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Next, "done"), named(s.keys.Back, "stop")}
}

func (p *pinScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case secretAsked:
		p.asked = &msg
		p.clear()
		p.problem = msg.question.Problem
	case finishedMsg:
		p.asked = nil
		p.clear()
	case otpTypedMsg:
		p.input.SetValue("")
		p.problem = "a touched YubiKey typed that: please use the keyboard"
	case tea.PasteMsg:
		p.input, _ = p.input.Update(msg)
	case tea.KeyPressMsg:
		if p.asked == nil {
			return nil
		}
		if key.Matches(msg, s.keys.Next) {
			return p.take(s)
		}
		p.problem = ""
		p.input, _ = p.input.Update(msg)
	}
	return nil
}

func (p *pinScreen) clear() {
	p.input.SetValue("")
	p.first, p.again = secret.Secret{}, false
}

// take checks what was typed and hands it over.
func (p *pinScreen) take(s *session) tea.Cmd {
	typed := secret.FromString(p.input.Value())
	p.input.SetValue("")
	question := p.asked.question
	if question.Check != nil {
		if err := question.Check(typed); err != nil {
			p.problem = clean(err.Error())
			return nil
		}
	}
	if question.New && !p.again {
		p.first, p.again, p.problem = typed, true, ""
		return nil
	}
	if question.New && !typed.Equal(p.first) {
		p.clear()
		p.problem = "the two were not the same: type the new one again, twice"
		return nil
	}
	if question.ID == questionPIN && s.run != nil {
		s.run.typed = typed
	}
	p.asked.reply <- answer[secret.Secret]{value: typed}
	p.asked = nil
	p.clear()
	return s.show(screenWork)
}

func (p *pinScreen) view(s *session, width, _ int) string {
	if p.asked == nil {
		return ""
	}
	question := p.asked.question
	what := "Hand the keyboard to the user."
	if question.ID != questionPIN {
		what = "This is for the operator."
	}
	lines := []string{"", s.styles.Now.Render(markNow + " " + what), ""}
	ask := "Type " + clean(question.Text) + ", then enter."
	if p.again {
		ask = "Type it once more, then enter."
	}
	lines = append(lines, paragraph(ask, width)...)
	lines = append(lines, "", "  "+p.fieldView(s), "")
	if question.Rule != "" {
		lines = append(lines, s.styles.Faint.Render("It has "+clean(question.Rule)+". Nothing of it is shown."))
	}
	if question.Tries != piv.UnknownTries && !question.New {
		tries := fmt.Sprintf("%d tries are left before the card blocks it.", question.Tries)
		if question.Tries == 1 {
			tries = s.styles.Bad.Render(markWarning + " One try is left: a wrong one blocks the card.")
		}
		lines = append(lines, tries)
	}
	if p.problem != "" {
		lines = append(lines, "")
		lines = append(lines, wrapped(s.styles.Bad.Render(markBad), clean(p.problem), width)...)
	}
	return strings.Join(lines, "\n")
}

// fieldView tells whether something was typed, and no more.
func (p *pinScreen) fieldView(s *session) string {
	if p.input.Value() == "" {
		return s.styles.Selected.Render("[               ]")
	}
	return s.styles.Selected.Render("[ being typed … ]")
}
