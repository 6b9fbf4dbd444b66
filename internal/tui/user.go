package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// userScreen takes the user's address, typed or found in the roster, and shows
// what Gmail has for them.
type userScreen struct {
	input   textinput.Model
	matches []int // of the session's entries
	// cursor is the match that enter takes; -1 for the address as it was typed.
	cursor  int
	moved   bool    // by hand, so that it stays
	problem problem // of what was typed
}

func newUserScreen(s *session) *userScreen {
	u := &userScreen{input: newInput(s.styles, "address  ")}
	u.input.Focus()
	return u
}

// fill types the address that was given on the command line.
func (u *userScreen) fill(email string) { u.input.SetValue(email) }

func (u *userScreen) enter(s *session) {
	restyle(&u.input, s.styles)
	u.search(s)
	u.cursor, u.moved = u.first(s), false
	u.problem = problem{}
}

func (*userScreen) typing(s *session) bool { return s.Picked.Email == "" }

func (u *userScreen) bindings(s *session) []key.Binding {
	if s.Picked.Email == "" {
		if len(u.matches) > 0 {
			return []key.Binding{named(s.keys.Next, "choose"), s.keys.Up, s.keys.Down, s.keys.Back}
		}
		return []key.Binding{s.keys.Next, s.keys.Back}
	}
	var bindings []key.Binding
	switch {
	case s.Problem != nil:
		bindings = append(bindings, s.keys.Again)
	case s.Answered:
		bindings = append(bindings, s.keys.Next)
	}
	if len(s.MenuChoices()) > 0 {
		bindings = append(bindings, s.keys.More)
	}
	if u.mayPark(s) {
		bindings = append(bindings, named(s.keys.Park, "park"))
	}
	return append(bindings, named(s.keys.Back, "another user"))
}

// mayPark reports whether the person who is picked can be parked.
func (*userScreen) mayPark(s *session) bool {
	entry, _ := s.Entry(s.Picked.Email)
	return s.Roster && !s.Single && entry.Stage != enroll.StageDone
}

func (u *userScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.BackgroundColorMsg:
		restyle(&u.input, s.styles)
	case otpTypedMsg:
		u.input.SetValue("")
		u.search(s)
		u.cursor = u.first(s)
	case desk.QueueRead:
		u.refresh(s)
		if !u.moved && u.input.Value() == "" {
			u.cursor = u.first(s)
		}
	case desk.EntryRead:
		u.refresh(s)
	case tea.KeyPressMsg:
		if s.Picked.Email != "" {
			if key.Matches(msg, s.keys.Park) && u.mayPark(s) {
				u.input.SetValue("")
				u.search(s)
				u.moved = false
			}
			return s.act(msg, u.bindings(s))
		}
		return u.press(s, msg)
	case tea.PasteMsg:
		if s.Picked.Email == "" {
			u.input, _ = u.input.Update(msg)
			u.search(s)
			u.cursor = u.best(s)
		}
	}
	return nil
}

func (u *userScreen) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		return s.tell(desk.Back)
	case key.Matches(msg, s.keys.Up):
		u.cursor, u.moved = max(0, u.cursor-1), true
	case key.Matches(msg, s.keys.Down):
		u.cursor, u.moved = min(max(0, len(u.matches)-1), u.cursor+1), true
	case key.Matches(msg, s.keys.Next):
		return u.choose(s)
	default:
		u.input, _ = u.input.Update(msg)
		u.problem = problem{}
		u.search(s)
		u.cursor = u.best(s)
	}
	return nil
}

// best is what enter takes for what is typed: the person with that address,
// else the address, else the best match.
func (u *userScreen) best(s *session) int {
	typed := strings.TrimSpace(u.input.Value())
	for n, i := range u.matches {
		if strings.EqualFold(s.Entries[i].Email, typed) {
			return n
		}
	}
	if enroll.ValidateAddress(typed) == nil {
		return -1
	}
	return 0
}

// choose takes the marked person, else the address that was typed in full.
func (u *userScreen) choose(s *session) tea.Cmd {
	typed := strings.TrimSpace(u.input.Value())
	err := enroll.ValidateAddress(typed)
	switch {
	case u.cursor >= 0 && u.cursor < len(u.matches):
		u.problem = problem{}
		return s.tell(desk.Picked{Person: s.Entries[u.matches[u.cursor]].Person})
	case err == nil:
		u.problem = problem{}
		return s.tell(desk.Picked{Person: desk.Person{Email: typed}})
	case typed == "":
		u.problem = problem{text: "no address was typed"}
	default:
		u.problem = problem{text: clean(err.Error()), hint: "type the user's primary Gmail address in full"}
	}
	return nil
}

// search finds the people whom the letters may mean, the best first.
func (u *userScreen) search(s *session) {
	pattern := strings.TrimSpace(u.input.Value())
	u.matches = everybody(s.Entries)
	if at := desk.FindCard(s.Entries, pattern); at >= 0 {
		u.matches = []int{at}
	} else if pattern != "" {
		words := make([]string, len(s.Entries))
		for i, entry := range s.Entries {
			words[i] = entry.SearchText()
		}
		u.matches = nil
		for _, match := range fuzzy.Find(pattern, words) {
			u.matches = append(u.matches, match.Index)
		}
	}
	u.cursor = min(u.cursor, max(0, len(u.matches)-1))
}

// refresh searches again when the queue has changed. The mark stays on the same
// person: enter must not take somebody who just came.
func (u *userScreen) refresh(s *session) {
	marked := -1
	if u.cursor >= 0 && u.cursor < len(u.matches) {
		marked = u.matches[u.cursor]
	}
	u.search(s)
	u.cursor = slices.Index(u.matches, marked)
}

// first is what is marked when the screen is shown: who is served already, what
// the letters mean, or else who is next.
func (u *userScreen) first(s *session) int {
	for n, i := range u.matches {
		if strings.EqualFold(s.Entries[i].Email, s.Person.Email) {
			return n
		}
	}
	if u.input.Value() != "" {
		return u.best(s)
	}
	// Nothing is typed, so everybody is among the matches.
	return s.Next()
}

func (u *userScreen) view(s *session, width, height int) string {
	if s.Picked.Email != "" {
		return u.viewChosen(s, width)
	}
	u.input.SetWidth(width - 12)
	ask := "Type the user's primary Gmail address."
	if len(s.Entries) > 0 {
		ask = "Type a few letters, or an address, or use ↑ and ↓."
	}
	who := "Who is to be enrolled? "
	if s.Renews() {
		who = "Who is to be renewed? "
	}
	lines := []string{"", who + s.styles.Faint.Render(ask), "", u.input.View(), ""}
	if u.problem.text != "" {
		lines = append(lines, problemLines(s, u.problem, width)...)
		lines = append(lines, "")
	}
	if len(s.Entries) > 0 {
		switch {
		case len(u.matches) == 0 && enroll.ValidateAddress(strings.TrimSpace(u.input.Value())) == nil:
			lines = append(lines, s.styles.Faint.Render("not in the queue: enter takes the address as it is typed"))
		case len(u.matches) == 0:
			lines = append(lines, s.styles.Faint.Render("No match. You can type a full address."))
		case u.cursor < 0 && u.input.Value() != "":
			lines = append(lines, s.styles.Faint.Render("enter takes the address as it is typed; ↓ goes to the queue"))
		}
		if cards := s.Cards(); len(cards) == 1 {
			if theirs := desk.Holder(s.Entries, cards[0].Serial, ""); theirs != "" {
				lines = append(lines, s.styles.Faint.Render(fmt.Sprintf("in the reader: card %d, of %s", cards[0].Serial, clean(theirs))))
			}
		}
		rows := queueRows(s, u.matches, u.cursor, width)
		lines = append(lines, around(rows, max(0, u.cursor), height-len(lines))...)
	}
	return strings.Join(lines, "\n")
}

func (u *userScreen) viewChosen(s *session, width int) string {
	lines := []string{"", s.styles.Title.Render(clean(s.Picked.Email)), ""}
	if s.Picked.Name != "" {
		lines = append(lines, "name     "+clean(s.Picked.Name))
	}
	if s.Picked.Note != "" {
		lines = append(lines, "note     "+clean(s.Picked.Note))
	}
	if s.Picked.OtherDomain {
		lines = append(lines, s.styles.Warning.Render(markWarning)+" of another domain than the desk's")
	}
	if s.Picked.Serial != 0 {
		lines = append(lines, fmt.Sprintf("card     %d was assigned to them", s.Picked.Serial))
	}
	if entry, ok := s.Entry(s.Picked.Email); ok {
		lines = append(lines, wrapped("here    ", stageText(s, entry), width)...)
	}
	switch {
	case s.Problem != nil:
		lines = append(lines, "")
		lines = append(lines, problemLines(s, s.explain(s.Problem), width)...)
	case !s.Answered:
		lines = append(lines, "", s.styles.Faint.Render(markWait+" asking Gmail what it has for them"))
		lines = append(lines, retryLines(s, width)...)
	default:
		lines = append(lines, atGmailLines(s, width)...)
	}
	return strings.Join(lines, "\n")
}

// atGmailLines show the user's key pairs and identity.
func atGmailLines(s *session, width int) []string {
	pairs := s.AtGmail.KeyPairs
	if len(pairs) == 0 {
		return []string{"Gmail    has no key pair for them yet"}
	}
	lines := []string{"Gmail    has a key pair for them; it stays, so that old mail stays readable", ""}
	if len(pairs) > 1 {
		lines[0] = fmt.Sprintf("Gmail    has %d key pairs for them; they stay, so that old mail stays readable", len(pairs))
	}
	entry, _ := s.Entry(s.Picked.Email)
	if meanwhile := describe.Meanwhile(entry.Progress); len(meanwhile) > 0 {
		lines = append(wrapped("Gmail   ", meanwhile[0].Text, width), "")
	}
	var values []describe.Value
	for _, pair := range pairs {
		value := describe.KeyPair(pair, s.AtGmail.Identity)
		value.Label = ""
		values = append(values, value)
	}
	return append(lines, valueLines(s, values, width)...)
}

// problemLines show what went wrong and what to do.
func problemLines(s *session, p problem, width int) []string {
	lines := wrapped(s.styles.Bad.Render(markBad), p.text, width)
	if p.hint != "" {
		lines = append(lines, wrapped(s.styles.Title.Render("  hint:"), p.hint, width)...)
	}
	return lines
}
