package tui

import (
	"strings"
	"unicode/utf8"

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
	typed   secret.Secret // so far
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
		p.typed = secret.Secret{}
		p.problem = "a touched YubiKey typed that: please use the keyboard"
	case tea.PasteMsg:
		p.add(strings.TrimSpace(msg.Content))
	case tea.KeyPressMsg:
		switch {
		case p.asked == nil:
		case key.Matches(msg, s.keys.Next):
			return p.take(s)
		case msg.Code == tea.KeyBackspace:
			p.erase()
		default:
			p.add(msg.Text)
		}
	}
	return nil
}

// add types text, unless that would be too long for any secret. There is no
// cursor to move: nobody would see where it is.
func (p *pinScreen) add(text string) {
	if p.asked == nil || text == "" || p.typed.Len()+len(text) > maxSecret {
		return
	}
	p.problem = ""
	typed := append(p.typed.Reveal(), text...)
	defer clear(typed)
	p.typed = secret.New(typed)
}

// erase takes the last character back.
func (p *pinScreen) erase() {
	typed := p.typed.Reveal()
	defer clear(typed)
	_, size := utf8.DecodeLastRune(typed)
	p.typed = secret.New(typed[:len(typed)-size])
}

func (p *pinScreen) clear() {
	p.typed, p.first, p.again = secret.Secret{}, secret.Secret{}, false
}

// take checks what was typed and hands it over.
func (p *pinScreen) take(s *session) tea.Cmd {
	typed := p.typed
	p.typed = secret.Secret{}
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
	if question.ID != enroll.QuestionPIN {
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
	return strings.Join(lines, "\n")
}

// fieldView tells whether something was typed, and no more.
func (p *pinScreen) fieldView(s *session) string {
	if p.typed.IsZero() {
		return s.styles.Selected.Render("[               ]")
	}
	return s.styles.Selected.Render("[ being typed … ]")
}
