package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// reviewScreen shows what is about to be registered.
type reviewScreen struct{ asked *reviewAsked }

func (*reviewScreen) enter(*session)       {}
func (*reviewScreen) typing(*session) bool { return false }

func (r *reviewScreen) bindings(s *session) []key.Binding {
	stop := named(s.keys.Back, "stop")
	if r.asked == nil || !registrable(r.asked.review) {
		return []key.Binding{stop}
	}
	return []key.Binding{named(s.keys.Next, "register at Gmail"), stop}
}

func (r *reviewScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case reviewAsked:
		r.asked = &msg
	case tea.KeyPressMsg:
		if r.asked != nil && registrable(r.asked.review) && key.Matches(msg, s.keys.Next) {
			r.asked.reply <- answer[bool]{value: true}
			s.tell(desk.ReviewAgreed{Run: r.asked.run, Review: r.asked.review})
			r.asked = nil
			return s.tell(showMsg{screenWork})
		}
	}
	return nil
}

// registrable reports whether nothing speaks against the registration. An
// enrollment does not ask before that is so; here nobody can agree to less.
func registrable(review enroll.Review) bool {
	for _, reviewed := range review.Keys {
		if !reviewed.Same() {
			return false
		}
		for _, finding := range reviewed.Findings {
			if finding.Severity == smime.SeverityError {
				return false
			}
		}
	}
	return true
}

func (r *reviewScreen) view(s *session, width, _ int) string {
	if r.asked == nil {
		return ""
	}
	review := r.asked.review
	lines := []string{s.styles.Title.Render(fmt.Sprintf("To be registered for %s", clean(review.Email))), ""}
	if !registrable(review) {
		lines = append(lines, s.styles.Bad.Render(markBad+" This cannot be registered; what is wrong is marked below."), "")
	}
	for _, reviewed := range review.Keys {
		lines = append(lines, valueLines(s, describe.ReviewKey(reviewed), width)...)
		lines = append(lines, "")
	}
	if s.commands.desk.Practice != nil {
		for _, value := range describe.PracticeWarnings(review) {
			lines = append(lines, practiceLines(s, value, width)...)
		}
	}
	if review.GmailEndpoint != "" {
		lines = append(lines, wrapped(s.styles.Warning.Render(markWarning), clean(enroll.EndpointText(review.GmailEndpoint)), width)...)
	}
	return strings.Join(lines, "\n")
}
