package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
)

// startScreen shows whether everything is there, and the queue.
type startScreen struct{}

func (*startScreen) enter(*session)       {}
func (*startScreen) typing(*session) bool { return false }

func (*startScreen) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Next, "begin"), named(s.keys.Again, "check again"), s.keys.End}
}

func (w *startScreen) update(s *session, msg tea.Msg) tea.Cmd { return s.act(msg, w.bindings(s)) }

func (*startScreen) view(s *session, width, height int) string {
	lines := []string{""}
	if s.commands.desk.Practice != nil {
		lines = append(lines, practiceLines(s, describe.Practice(), width)...)
		lines = append(lines, "")
	}
	if s.Checks == nil {
		lines = append(lines, s.styles.Faint.Render(markWait+" looking whether everything is there"))
	}
	missing, fine := 0, allRight(s.Checks, height)
	if fine != "" {
		lines = append(lines, wrapped(s.styles.OK.Render(markOK)+" ", fine, width)...)
	}
	for _, check := range s.Checks {
		if check.State == desk.CheckSkipped || check.State == desk.CheckOK && fine != "" {
			continue
		}
		mark := s.styles.OK.Render(markOK)
		switch check.State {
		case desk.CheckWarning:
			mark = s.styles.Warning.Render(markWarning)
		case desk.CheckFailed:
			mark = s.styles.Bad.Render(markBad)
			missing++
		case desk.CheckRunning:
			lines = append(lines, s.styles.Faint.Render(fmt.Sprintf("%s %-14s looking", markWait, check.Name)))
			continue
		}
		lines = append(lines, wrapped(fmt.Sprintf("%s %-14s", mark, check.Name), clean(check.Detail), width)...)
		if check.State != desk.CheckOK && check.Fix != "" {
			lines = append(lines, wrapped(strings.Repeat(" ", 17)+"→ ", clean(check.Fix), width)...)
		}
	}
	lines = append(lines, retryLines(s, width)...)
	lines = append(lines, "")
	if missing > 0 {
		lines = append(lines, s.styles.Warning.Render("What is marked "+markBad+" stops an enrollment; it can be put right in another window."), "")
	}
	if len(s.Entries) == 0 {
		who := "enroll the first person"
		switch {
		case s.Single:
			who = "begin"
		case len(s.Receipts) > 0:
			who = "enroll the next person"
		}
		return strings.Join(append(lines, "Press enter to "+who+"."), "\n")
	}
	title := "Queue"
	if tally := s.tally(); len(tally) > 0 {
		title += ": " + strings.Join(tally, " · ")
	}
	lines = append(lines, s.styles.Title.Render(title))
	return strings.Join(append(lines, queueRows(s, everybody(s.Entries), -1, width)...), "\n")
}

// allRight names the checks that found nothing wrong, where the screen has no room for a
// line each; else it is empty.
func allRight(checks []desk.Check, height int) string {
	var names []string
	for _, check := range checks {
		if check.State == desk.CheckOK {
			names = append(names, check.Name)
		}
	}
	const others = 10 // lines, at the most, of what else is on the screen
	if len(checks)+others <= height {
		return ""
	}
	return clean(strings.Join(names, ", "))
}
