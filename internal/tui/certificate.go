package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// certificateScreen waits for a certificate, or lets the person be parked.
type certificateScreen struct{}

func (*certificateScreen) enter(*session) tea.Cmd { return nil }
func (*certificateScreen) typing() bool           { return false }

func (*certificateScreen) bindings(s *session) []key.Binding {
	next := "look again now"
	if arrived(s) {
		next = "go on"
	}
	return []key.Binding{named(s.keys.Next, next), named(s.keys.Park, parkText(s)), named(s.keys.Back, "plan")}
}

func (*certificateScreen) update(s *session, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok:
	case key.Matches(press, s.keys.Next):
		return s.tell(beginMsg{s.request})
	case key.Matches(press, s.keys.Park):
		return s.tell(nextPersonMsg{})
	case key.Matches(press, s.keys.Back):
		return s.show(screenPlan)
	}
	return nil
}

func (*certificateScreen) view(s *session, width, _ int) string {
	if s.run == nil || s.run.err == nil {
		return ""
	}
	var lines []string
	if arrived(s) {
		lines = append(lines, "", s.styles.OK.Render(markOK+" The certificate is there."), "", "Press enter to go on.")
		return strings.Join(lines, "\n")
	}
	lines = append(lines, "", s.styles.Warning.Render(markWait+" Waiting for the certificate."), "")
	entry, _ := s.entry(s.person.Email)
	waits := entry.Waits // of several, those that are left
	if len(waits) == 0 {
		waits = issuer.Waits(s.run.err)
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
	if s.single {
		meanwhile = "Nothing has to be kept open: the same command goes on from here, at any time."
	}
	lines = append(lines, paragraph("It is looked for every few seconds. "+meanwhile+" The card can be given back until then, or kept.", width)...)
	return strings.Join(lines, "\n")
}

// waitingLines say where the request is and where its certificate is looked for.
func waitingLines(waiting *issuer.WaitingError, width int) []string {
	if waiting.Dir == "" {
		return wrapped("request  ", "was sent to "+clean(waiting.Request)+" and is not approved yet", width)
	}
	lines := pathLines("folder   ", waiting.Dir, width)
	lines = append(lines, pathLines("request  ", waiting.Request, width)...)
	return append(lines, pathLines("wanted   ", waiting.Expected, width)...)
}

// arrived reports whether the person's certificate has come.
func arrived(s *session) bool {
	entry, _ := s.entry(s.person.Email)
	return entry.Stage == enroll.StageReady
}

// parkText says what becomes of a person who is parked.
func parkText(s *session) string {
	if s.single {
		return "end, go on later"
	}
	return "park, next person"
}
