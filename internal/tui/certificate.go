package tui

import (
	"path/filepath"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// certificateScreen waits for a certificate, or lets the person be parked.
type certificateScreen struct{ copied bool }

func (c *certificateScreen) enter(*session)     { c.copied = false }
func (*certificateScreen) typing(*session) bool { return false }

// request is the path of the first request that lies in a folder; empty where none does.
func (*certificateScreen) request(s *session) string {
	entry, _ := s.Entry(s.Person.Email)
	for _, waiting := range certificateWaits(s, entry.Waits) {
		if waiting.Dir != "" {
			return filepath.Join(waiting.Dir, waiting.Request)
		}
	}
	return ""
}

// certificateWaits are what is waited for: of several, those that are left.
func certificateWaits(s *session, waits []*issuer.WaitingError) []*issuer.WaitingError {
	if len(waits) == 0 && s.Run != nil {
		return issuer.Waits(s.Run.Err)
	}
	return waits
}

func (c *certificateScreen) bindings(s *session) []key.Binding {
	next, back := "look again now", "plan"
	if s.Run == nil {
		back = "card"
	}
	if s.Arrived() {
		next = "go on"
	}
	bindings := []key.Binding{named(s.keys.Next, next), named(s.keys.Park, parkText(s)), named(s.keys.Back, back)}
	if !s.Arrived() && c.request(s) != "" {
		bindings = append(bindings, s.keys.Copy)
	}
	return bindings
}

func (c *certificateScreen) update(s *session, msg tea.Msg) tea.Cmd {
	if press, ok := msg.(tea.KeyPressMsg); ok && key.Matches(press, s.keys.Copy) && !s.Arrived() {
		return copyText(c.request(s), &c.copied)
	}
	return s.act(msg, c.bindings(s))
}

// copyText puts a text into the clipboard of the terminal, where it takes one (OSC 52).
func copyText(text string, copied *bool) tea.Cmd {
	if text == "" {
		return nil
	}
	*copied = true
	return tea.SetClipboard(text)
}

// copiedText says what may be in the clipboard: terminals do not tell whether they took it.
const copiedText = "The path was copied, if this terminal lets programs do so."

func (c *certificateScreen) view(s *session, width, _ int) string {
	var lines []string
	if s.Arrived() {
		lines = append(lines, "", s.styles.OK.Render(markOK+" The certificate is there."), "", "Press enter to go on.")
		return strings.Join(lines, "\n")
	}
	lines = append(lines, "", s.styles.Warning.Render(markWait+" Waiting for the certificate."), "")
	entry, _ := s.Entry(s.Person.Email)
	for _, waiting := range certificateWaits(s, entry.Waits) {
		lines = append(lines, waitingLines(waiting, width)...)
		lines = append(lines, "")
	}
	if c.copied {
		lines = append(lines, s.styles.Faint.Render(copiedText), "")
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
	old := describe.Meanwhile(entry.Progress)
	if len(factory) == 0 {
		meanwhile += " The card can be given back until then, or kept."
	}
	lines = append(lines, paragraph("It is looked for every few seconds. "+meanwhile, width)...)
	if about := append(old, factory...); len(about) > 0 {
		lines = append(append(lines, ""), valueLines(s, about, width)...)
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
