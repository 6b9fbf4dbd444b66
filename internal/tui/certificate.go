package tui

import (
	"path/filepath"
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
	return []key.Binding{named(s.keys.Next, "go on"), named(s.keys.Park, parkText(s)), named(s.keys.Back, "plan")}
}

func (*certificateScreen) update(s *session, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok:
	case key.Matches(press, s.keys.Next):
		return s.tell(beginMsg{s.request.Again(s.run.err)})
	case key.Matches(press, s.keys.Park):
		return s.tell(parkMsg{})
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
	if place, _ := s.place(s.person.Email); place.Stage == enroll.StageReady {
		lines = append(lines, "", s.styles.OK.Render(markOK+" The certificate is there."), "", "Press enter to go on.")
		return strings.Join(lines, "\n")
	}
	lines = append(lines, "", s.styles.Warning.Render(markWait+" Waiting for the certificate."), "")
	for _, waiting := range issuer.Waits(s.run.err) {
		if waiting.Dir == "" {
			lines = append(lines, wrapped("request   ", "was sent to "+clean(waiting.Request)+" and is not approved yet", width)...)
		} else {
			lines = append(lines, wrapped("request   ", clean(filepath.Join(waiting.Dir, waiting.Request)), width)...)
			lines = append(lines, wrapped("wanted    ", clean(filepath.Join(waiting.Dir, waiting.Expected)), width)...)
		}
		lines = append(lines, "")
	}
	if place, _ := s.place(s.person.Email); place.Problem != nil {
		lines = append(lines, problemLines(s, s.explain(place.Problem), width)...)
		lines = append(lines, "")
	}
	lines = append(lines, paragraph("It is looked for every few seconds. Nothing has to be kept open: park the person and serve the next one; they show in the queue as soon as it is there. The card can be given back until then, or kept.", width)...)
	return strings.Join(lines, "\n")
}

// parkText says what becomes of a person who is parked.
func parkText(s *session) string {
	if s.single {
		return "end, go on later"
	}
	return "park, next person"
}
