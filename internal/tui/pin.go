package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// maxSecret is the longest secret that is typed, a management key in
// hexadecimal.
const maxSecret = 64

// pinScreen has the user type a PIN, twice when it is new. Nothing of it is
// drawn, not even its length.
type pinScreen struct {
	asked   *secretAsked  // nil when nothing is asked
	typed   secret.Field  // so far
	first   secret.Secret // of a new secret, while it is typed again
	again   bool
	problem string
}

func (p *pinScreen) enter(*session)       {}
func (p *pinScreen) typing(*session) bool { return true }

func (p *pinScreen) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Next, "done"), named(s.keys.Back, "stop")}
}

func (p *pinScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case secretAsked:
		p.asked = &msg
		p.clear()
		p.problem = msg.question.Problem
	case desk.RunEnded:
		p.asked = nil
		p.clear()
	case otpTypedMsg:
		p.typed = secret.Field{}
		p.problem = "a touched YubiKey typed that: please use the keyboard"
	case tea.PasteMsg:
		p.add(strings.TrimSpace(msg.Content))
	case tea.KeyPressMsg:
		switch {
		case p.asked == nil:
		case key.Matches(msg, s.keys.Next):
			return p.take(s)
		default:
			p.edit(msg)
		}
	}
	return nil
}

// editingKeys are the keys that edit a secret, by bubbletea's names.
var editingKeys = map[string]secret.Key{
	"backspace": secret.Backspace, "ctrl+h": secret.Backspace, "delete": secret.Delete, "ctrl+d": secret.Delete,
	"left": secret.Left, "ctrl+b": secret.Left, "right": secret.Right, "ctrl+f": secret.Right,
	"home": secret.Home, "ctrl+a": secret.Home, "end": secret.End, "ctrl+e": secret.End,
	"ctrl+u": secret.Clear, "ctrl+w": secret.Clear, "alt+backspace": secret.Clear, "ctrl+k": secret.ClearToEnd,
}

// edit types a key into the field.
func (p *pinScreen) edit(msg tea.KeyPressMsg) {
	if key, edits := editingKeys[msg.String()]; edits {
		p.typed.Press(key)
		return
	}
	p.add(msg.Text)
}

// add types text, unless that would be too long for any secret.
func (p *pinScreen) add(text string) {
	if p.asked == nil || text == "" {
		return
	}
	typed := []byte(text)
	defer clear(typed)
	if p.typed.Insert(typed, maxSecret) {
		p.problem = ""
	}
}

func (p *pinScreen) clear() {
	p.typed, p.first, p.again = secret.Field{}, secret.Secret{}, false
}

// take checks what was typed and hands it over.
func (p *pinScreen) take(s *session) tea.Cmd {
	typed := p.typed.Text()
	p.typed = secret.Field{}
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
	if question.ID == enroll.QuestionPIN && s.Run != nil {
		s.typed, s.typedFor = typed, s.Run.Request.Serial
	}
	p.asked.reply <- answer[secret.Secret]{value: typed}
	p.asked = nil
	p.clear()
	return s.tell(showMsg{screenWork})
}

func (p *pinScreen) view(s *session, width, _ int) string {
	if p.asked == nil {
		return ""
	}
	question := p.asked.question
	what := "Hand the keyboard to the user."
	switch {
	case s.commands.desk.Own:
		what = "This is for you alone."
	case question.ID != enroll.QuestionPIN:
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
		lines = append(lines, valueText(s, describe.Tries(question.Tries)))
	}
	if p.problem != "" {
		lines = append(lines, "")
		lines = append(lines, wrapped(s.styles.Bad.Render(markBad), clean(p.problem), width)...)
	}
	if notes := s.lastNotes(width, question.Problem); len(notes) > 0 {
		lines = append(append(lines, ""), notes...) // such as whose PUK or password is meant
	}
	return strings.Join(lines, "\n")
}

// fieldView tells whether something was typed, and no more.
func (p *pinScreen) fieldView(s *session) string {
	if p.typed.Text().IsZero() {
		return s.styles.Selected.Render("[               ]")
	}
	return s.styles.Selected.Render("[ being typed … ]")
}
