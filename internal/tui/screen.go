package tui

import (
	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// screenID names a screen.
type screenID int

// The screens, in the order in which a person is served.
const (
	screenStart screenID = iota
	screenUser
	screenCard
	screenPlan
	screenPIN
	screenWork
	screenCertificate
	screenReview
	screenDone
	// These come in between.
	screenQuestion
	screenFailure
	screenProfile
	screenMenu
)

// screenNames are the stations at the top of the window.
var screenNames = [...]string{"Start", "User", "Card", "Plan", "PIN", "Work", "Certificate", "Review", "Done"}

// screen is one screen of the wizard. A screen keeps what was typed into it
// when another is shown.
type screen interface {
	// enter is called when the screen is shown.
	enter(s *session)
	// update takes key presses while the screen is shown, and every message that
	// commands report.
	update(s *session, msg tea.Msg) tea.Cmd
	// view draws the screen into width columns. More than height lines can be
	// scrolled.
	view(s *session, width, height int) string
	// bindings are the keys that mean something now.
	bindings(s *session) []key.Binding
	// typing reports whether letters are text now, and no keys of the wizard.
	typing(s *session) bool
}

// newInput makes a text field whose cursor does not blink.
func newInput(s styles, prompt string) textinput.Model {
	input := textinput.New()
	input.Prompt = prompt
	restyle(&input, s)
	return input
}

func restyle(input *textinput.Model, s styles) {
	styled := s.Input
	styled.Cursor.Blink = false
	input.SetStyles(styled)
}
