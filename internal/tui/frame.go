package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/glossary"
)

// The smallest window that everything fits into, in columns and lines, and what
// the frame takes of it.
const (
	minWidth, minHeight = 80, 24
	maxWidth            = 120
	frameLines          = 5 // title, stations, two rules, keys
)

// View draws the window.
func (m *Model) View() tea.View {
	view := tea.NewView(m.content())
	view.AltScreen = true
	view.WindowTitle = m.title()
	view.ProgressBar, view.ProgramStatus = m.progress()
	return view
}

func (m *Model) content() string {
	if m.small() {
		return m.tooSmall()
	}
	width, height := m.area()
	body := m.body(width, height)
	rule := m.session.styles.Rule.Render(strings.Repeat("─", width))
	return strings.Join([]string{
		m.header(width), m.stations(width), rule, m.window(body, width, height), rule, m.footer(width),
	}, "\n")
}

// small reports whether the window is too small for a screen.
func (m *Model) small() bool { return m.width < minWidth || m.height < minHeight }

// tooSmall is what fits of a message into whatever is left of the window.
func (m *Model) tooSmall() string {
	text := fmt.Sprintf("This window has %d columns and %d lines; cse-piv needs %d and %d. Nothing is lost. Please make it larger; ctrl+c quits.", m.width, m.height, minWidth, minHeight)
	lines := paragraph(text, m.width)
	return strings.Join(lines[:min(len(lines), m.height)], "\n")
}

// area is what is left for a screen, in columns and lines.
func (m *Model) area() (width, height int) { return min(m.width, maxWidth), m.height - frameLines }

func (m *Model) body(width, height int) string {
	switch {
	case m.leaving != leavingNot:
		return m.leavingView()
	case m.help:
		return m.helpView(width - 2)
	case m.drawer != nil && m.drawer.open:
		return m.drawer.view(m.session, height)
	}
	return m.screens[m.at].view(m.session, width-2, height)
}

// pages is how often the body can be scrolled on.
func (m *Model) pages() int {
	width, height := m.area()
	hidden := max(0, strings.Count(m.body(width, height), "\n")+1-height)
	return (hidden + page(height) - 1) / page(height)
}

// unread reports whether a review or a question goes on below the window: nobody agrees to
// what was not seen.
func (m *Model) unread() bool {
	return (m.at == screenReview || m.at == screenQuestion) && m.scroll < m.pages()
}

// page is how many lines are scrolled at once.
func page(height int) int { return max(1, height-2) }

// window cuts the body to the window.
func (m *Model) window(body string, width, height int) string {
	lines := strings.Split(body, "\n")
	hidden := max(0, len(lines)-height)
	from := min(m.scroll*page(height), hidden)
	lines = lines[from:min(len(lines), from+height)]
	for len(lines) < height {
		lines = append(lines, "")
	}
	if from > 0 {
		lines[0] = m.session.styles.Faint.Render("  ↑ more: pgup")
	}
	if hidden > from {
		lines[height-1] = m.session.styles.Faint.Render("  ↓ more: pgdn")
	}
	for i, line := range lines {
		lines[i] = ansi.Truncate(" "+line, width, "…")
	}
	return strings.Join(lines, "\n")
}

func (m *Model) header(width int) string {
	s := m.session
	left := s.styles.Title.Render(" cse-piv")
	if s.Person.Email != "" {
		left += s.styles.Value.Render("  " + clean(s.Person.Email))
		if serial := s.serial(); serial != 0 {
			left += s.styles.Faint.Render(fmt.Sprintf(" · card %d", serial))
		}
	}
	// The card's serial number is what is checked: the counts make room for it.
	counts := s.tally()
	for len(counts) > 0 && lipgloss.Width(left)+lipgloss.Width(strings.Join(counts, " · "))+2 > width {
		at := min(1, len(counts)-1)
		counts = slices.Delete(counts, at, at+1)
	}
	right := s.styles.Faint.Render(strings.Join(counts, " · ") + " ")
	left = ansi.Truncate(left, width-lipgloss.Width(right)-1, "…")
	return left + strings.Repeat(" ", max(1, width-lipgloss.Width(left)-lipgloss.Width(right))) + right
}

// tally counts the queue, or without a roster those who were served here.
func (s *session) tally() []string {
	counted := s.Tally()
	var parts []string
	if s.Roster {
		parts = append(parts, fmt.Sprintf("%d of %d done", counted.Done, counted.All))
	}
	for _, part := range []struct {
		count int
		what  string
	}{
		{counted.Waiting, "waiting"}, {counted.Ready, "ready to go on"}, {counted.Failed, "failed"},
	} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	if !s.Roster && len(s.Receipts) > 0 {
		parts = append([]string{fmt.Sprintf("%d enrolled", len(s.Receipts))}, parts...)
	}
	return parts
}

// stations shows where in the enrollment the screen is.
func (m *Model) stations(width int) string {
	here := m.station()
	names := make([]string, len(screenNames))
	for i, name := range screenNames {
		if screenID(i) == here {
			names[i] = m.session.styles.Here.Render("[" + name + "]")
		} else {
			names[i] = m.session.styles.QueueEntry.Render(name)
		}
	}
	return ansi.Truncate(" "+strings.Join(names, " "), width, "…")
}

// station is the screen's own; the profile belongs to the start, what comes in between to the work, and
// the work on a certificate to its station.
func (m *Model) station() screenID {
	switch {
	case m.at == screenMenu && m.session.Card.Identity.Serial == 0:
		return screenUser
	case m.at == screenMenu:
		return screenCard
	case m.at <= screenDone && m.at != screenWork:
		return m.at
	case m.at == screenProfile:
		return screenStart
	case m.session.Run != nil && m.session.Run.At("certificate"):
		return screenCertificate
	}
	return screenWork
}

func (m *Model) footer(width int) string {
	keys := m.help1()
	line := help.New()
	line.Styles = m.session.styles.Help
	// The help tells of the keys that there is no room for.
	for len(keys) > 2 && lipgloss.Width(line.ShortHelpView(keys)) > width-2 {
		keys = slices.Delete(slices.Clone(keys), len(keys)-2, len(keys)-1)
	}
	line.SetWidth(width - 2)
	return " " + line.ShortHelpView(keys)
}

// help1 lists the keys of the moment.
func (m *Model) help1() []key.Binding {
	keys := m.session.keys
	switch {
	case m.leaving == leavingAsked:
		back := "stop, back to the plan"
		if m.session.Run.Task != nil {
			back = "stop, and back"
		}
		return []key.Binding{named(keys.Next, "let it go on"), named(keys.Back, back), named(keys.Quit, "stop and quit")}
	case m.leaving == leavingBack:
		return []key.Binding{named(keys.Quit, "quit once it has stopped")}
	case m.leaving != leavingNot:
		return nil
	case m.help:
		return []key.Binding{named(keys.Back, "close")}
	case m.drawer != nil && m.drawer.open:
		return m.drawer.bindings(m.session)
	}
	bindings := m.screens[m.at].bindings(m.session)
	if m.unread() {
		bindings = []key.Binding{named(keys.Next, "read on"), named(keys.Back, "stop")}
	}
	if m.drawer != nil {
		bindings = append(bindings, keys.Practice)
	}
	return append(bindings, m.helpKey())
}

// helpKey is what opens the help: where letters are text, not the question mark.
func (m *Model) helpKey() key.Binding {
	binding := m.session.keys.Help
	if m.screens[m.at].typing(m.session) {
		binding.SetHelp("f1", "help")
	}
	return binding
}

func (m *Model) leavingView() string {
	s := m.session.styles
	if m.leaving != leavingAsked {
		return "\n" + s.Now.Render("Stopping…") + "\n\nThe card finishes the command that it is carrying out."
	}
	running, back := "An enrollment is running.", "back to the plan"
	if m.session.Run.Task != nil {
		running, back = "This is not finished.", "back"
	}
	return "\n" + s.Warning.Render(markWarning+" "+running) + "\n\n" +
		"What is done stays done: the same person can go on from here later, at this\n" +
		"desk or with the same command.\n\n" +
		"enter    let it go on\nesc      stop, and " + back + "\nctrl+c   stop, and quit"
}

func (m *Model) helpView(width int) string {
	s := m.session
	var lines []string
	for _, binding := range append(m.screens[m.at].bindings(s), s.keys.PageUp, s.keys.PageDown, m.helpKey(), named(s.keys.Quit, "quit; asks first while an enrollment runs")) {
		lines = append(lines, fmt.Sprintf("%s  %s", s.styles.Title.Render(fmt.Sprintf("%-8s", binding.Help().Key)), binding.Help().Desc))
	}
	if m.drawer != nil {
		lines = append(lines, fmt.Sprintf("%s  %s", s.styles.Title.Render(fmt.Sprintf("%-8s", s.keys.Practice.Help().Key)), "insert, pull and swap the practice cards"))
	}
	text := helpTexts[m.at]
	if m.at == screenWork {
		text = helpTexts[m.station()] // the work on a certificate is its station's
	}
	if m.at == screenStart {
		lines = append(lines, "", s.styles.Title.Render("Words"), "")
		for _, term := range glossary.Terms() {
			lines = append(lines, wrapped(fmt.Sprintf("%-22s", term.Name), term.Meaning, width)...)
		}
	}
	lines = append([]string{s.styles.Title.Render("This screen"), ""}, append(paragraph(text, width), append([]string{"", s.styles.Title.Render("Keys"), ""}, lines...)...)...)
	return "\n" + strings.Join(lines, "\n")
}

// helpTexts tell what each screen is for.
var helpTexts = [...]string{
	screenStart:       "What is needed for enrolling, and who is in the queue. Nothing is changed here.",
	screenUser:        "Type the user's primary Gmail address, or a few letters of it to find it in the queue. What Gmail already has for them is shown before anything begins. m, more, lists what else can be done for somebody who is enrolled: a lost card, another one, a renewal.",
	screenCard:        "Put the user's card in. Only its serial number counts: it may be pulled and put back, into this or another reader, at any time. m, more, lists what else can be done with it, or for its user: a new PIN for who forgot it, a renewal, another card.",
	screenPlan:        "What will be done, step by step, and what each step changes. What would be lost for ever is said, and only happens when the card's serial number is typed.",
	screenPIN:         "Hand the keyboard to the user. The PIN is not shown, and never sent anywhere but to the card. Only while the person waits for a certificate, or Gmail did not answer, is it remembered, for five minutes, so that it need not be typed again.",
	screenWork:        "Each step looks whether it is already done, acts, and looks again. A card that is pulled is waited for. Stopping loses nothing.",
	screenCertificate: "The request waits for its certificate. The person can be parked and the next one served; who was parked shows in the queue as soon as the certificate is there.",
	screenReview:      "The last look before anything is registered at Gmail.",
	screenDone:        "The receipt. The evidence folder holds everything that an auditor asks for.",
	screenQuestion:    "The enrollment found something that only a person can decide. Nothing is changed before the answer.",
	screenProfile:     "An enrollment profile says what every card and its keys have to be like. Choose the one for the people who are served now; it stays until the program ends.",
	screenMenu:        "What else can be done for this person, or with this card, and what it loses. Nothing is changed before that was said and agreed to.",
	screenFailure:     "A step could not be done. What was done before it stays done. Put right what is said, and try again; or park this person and serve the next one.",
}

// title is the window's.
func (m *Model) title() string {
	title := "cse-piv"
	if m.session.Person.Email != "" {
		title += ": " + clean(m.session.Person.Email)
	}
	return title + " - " + screenNames[m.station()]
}

// progress tells the terminal how far an enrollment is, for its own bar and
// taskbar.
func (m *Model) progress() (*tea.ProgressBar, *tea.ProgramStatus) {
	r := m.session.Run
	if r == nil {
		return nil, &tea.ProgramStatus{State: tea.ProgramStateIdle}
	}
	percent := 100 * r.Done() / max(1, len(r.Steps))
	switch {
	case r.Err != nil && m.at == screenFailure:
		return &tea.ProgressBar{State: tea.ProgressBarError, Value: percent}, &tea.ProgramStatus{State: tea.ProgramStateError}
	case r.Ended && r.Err == nil:
		return nil, &tea.ProgramStatus{State: tea.ProgramStateDone}
	case r.Ended:
		return nil, &tea.ProgramStatus{State: tea.ProgramStateIdle}
	case m.at == screenPIN, m.at == screenReview, m.at == screenQuestion, r.CardOut != "", r.Touch != "":
		return &tea.ProgressBar{State: tea.ProgressBarWarning, Value: percent}, &tea.ProgramStatus{State: tea.ProgramStateBlocked}
	}
	return &tea.ProgressBar{State: tea.ProgressBarDefault, Value: percent}, &tea.ProgramStatus{State: tea.ProgramStateWorking}
}
