package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// certificateScreen waits for a certificate, or lets the person be parked.
type certificateScreen struct{}

func (*certificateScreen) enter(*session)       {}
func (*certificateScreen) typing(*session) bool { return false }

func (*certificateScreen) bindings(s *session) []key.Binding {
	next, back := "look again now", "plan"
	if s.Run == nil {
		back = "card"
	}
	if s.Arrived() {
		next = "go on"
	}
	return []key.Binding{named(s.keys.Next, next), named(s.keys.Park, parkText(s)), named(s.keys.Back, back)}
}

func (c *certificateScreen) update(s *session, msg tea.Msg) tea.Cmd { return s.act(msg, c.bindings(s)) }

func (*certificateScreen) view(s *session, width, _ int) string {
	var lines []string
	if s.Arrived() {
		lines = append(lines, "", s.styles.OK.Render(markOK+" The certificate is there."), "", "Press enter to go on.")
		return strings.Join(lines, "\n")
	}
	lines = append(lines, "", s.styles.Warning.Render(markWait+" Waiting for the certificate."), "")
	entry, _ := s.Entry(s.Person.Email)
	waits := entry.Waits // of several, those that are left
	if len(waits) == 0 && s.Run != nil {
		waits = issuer.Waits(s.Run.Err)
	}
	for _, waiting := range waits {
		lines = append(lines, waitingLines(waiting, width)...)
		lines = append(lines, "")
	}
	if entry.Problem != nil {
		lines = append(lines, problemLines(s, s.explain(entry.Problem), width)...)
		lines = append(lines, "")
	}
	meanwhile := "Nothing has to be kept open: park the person and serve the next one; they show in the queue as soon as it is there."
	if s.Single {
		meanwhile = "Nothing has to be kept open: the same command goes on from here, at any time."
	}
	factory := describe.FactoryManagementKey(entry.Progress)
	if len(factory) == 0 {
		meanwhile += " The card can be given back until then, or kept."
	}
	lines = append(lines, paragraph("It is looked for every few seconds. "+meanwhile, width)...)
	if len(factory) > 0 {
		lines = append(append(lines, ""), valueLines(s, factory, width)...)
	}
	return strings.Join(lines, "\n")
}

// waitingLines say where the request is and where its certificate is looked for.
func waitingLines(waiting *issuer.WaitingError, width int) []string {
	if waiting.Dir == "" {
		return wrapped("request  ", "was sent to "+clean(waiting.Request)+" and is not approved yet", width)
	}
	lines := pathLines("folder   ", waiting.Dir, width)
	lines = append(lines, pathLines("request  ", waiting.Request, width)...)
	lines = append(lines, pathLines("wanted   ", waiting.Expected, width)...)
	if waiting.Found != nil {
		lines = append(lines, wrapped("found    ", clean(waiting.Found.Error()), width)...)
	}
	return lines
}

// parkText says what becomes of a person who is parked.
func parkText(s *session) string {
	if s.Single {
		return "end, go on later"
	}
	return "park, next person"
}
