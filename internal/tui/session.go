package tui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// session is what the screens share: the desk as it was last seen, and the
// person who is being served. Only Update touches it.
type session struct {
	deps   deps
	styles styles
	keys   keyMap

	checks  []desk.Check // nil until they were made
	entries []desk.QueueEntry
	// roster says that people were named beforehand.
	roster   bool
	failures desk.Failures
	// asked numbers the questions how far people are, and changed holds, by address
	// in lower case, the last one before a person's place was changed here.
	asked   int
	changed map[string]int
	// collecting holds, by address in lower case, whose certificate is asked for
	// just now.
	collecting map[string]bool
	enrolled   int // how many were here

	found    []piv.Found
	foundErr error
	watched  bool // whether the readers were looked at yet
	blind    bool // whether they are not watched any more

	person desk.Person
	// assigned is the card that was set aside for the person or begun with; 0 for
	// any.
	assigned uint32
	// chosen is the card that was chosen among several, and taken the one that was
	// taken although it may be the wrong one. Each is forgotten when it is pulled.
	chosen, taken uint32
	atGmail       desk.AtGmail
	card          desk.CardStatus // zero Identity while no card was read
	request       enroll.Request
	run           *running
	// runs counts the runs, so that no two have the same number.
	runs int
	// single is a wizard for one person, who was named on the command line.
	single bool

	outbox []tea.Msg
}

// tell has the root model take a message as soon as the screen is done with the
// present one, before any other: a command's message could be overtaken by the
// next question of the enrollment, or by the next key.
func (s *session) tell(msg tea.Msg) tea.Cmd {
	s.outbox = append(s.outbox, msg)
	return nil
}

// show changes the screen.
func (s *session) show(screen screenID) tea.Cmd { return s.tell(showMsg{screen}) }

// pick makes the person the one who is served, with the plan that they had
// before or the one of the command line.
func (s *session) pick(person desk.Person) {
	s.person = person
	s.atGmail = desk.AtGmail{}
	s.card = desk.CardStatus{}
	s.run = nil
	entry, _ := s.entry(person.Email)
	entry.Person = person
	s.request = desk.RequestFor(s.deps.desk.Request, s.entries, entry)
	s.assigned, s.chosen, s.taken = s.request.Serial, 0, 0
}

// forgetPulled forgets what was decided about cards that are in no reader any more,
// unless an enrollment waits for one to come back.
func (s *session) forgetPulled() {
	for _, serial := range []*uint32{&s.chosen, &s.taken} {
		if !s.present(*serial) && !s.run.active() {
			*serial = 0
		}
	}
}

// strange reports whether a card may be the wrong one for the person, and was not
// taken all the same.
func (s *session) strange(serial uint32) bool {
	return serial != 0 && serial != s.taken && desk.Strange(s.entries, s.person.Email, s.assigned, serial)
}

// place returns a person's place in the queue.
func (s *session) entry(email string) (desk.QueueEntry, bool) {
	if at := desk.Find(s.entries, email); at >= 0 {
		return s.entries[at], true
	}
	return desk.QueueEntry{}, false
}

// setPlace records a person's new standing. Somebody who is not on the roster joins
// the queue.
func (s *session) setEntry(entry desk.QueueEntry) {
	if at := desk.Find(s.entries, entry.Email); at >= 0 {
		s.entries[at] = entry
	} else {
		s.entries = append(s.entries, entry)
	}
}

// learn takes in what the desk answers to a question, unless it was asked before
// the person's place was changed here, or about another card.
func (s *session) learn(request int, entry desk.QueueEntry) {
	known, ok := s.entry(entry.Email)
	if ok && (request <= s.changed[strings.ToLower(entry.Email)] || known.Person.Serial != entry.Person.Serial) {
		return
	}
	s.setEntry(entry)
}

// served takes in what serving a person came to.
func (s *session) served(entry desk.QueueEntry, err error) {
	s.changed[strings.ToLower(entry.Email)] = s.asked
	if known, _ := s.entry(entry.Email); entry.Stage == enroll.StageWaiting && len(entry.Waits) == 0 {
		entry.Waits = known.Waits // stopped before it was asked for again
	}
	s.setEntry(entry)
	if s.person = entry.Person; s.person.Serial != 0 {
		s.assigned = s.person.Serial
	}
	s.forgetPulled()
	s.failures.Note(entry.Email, err)
	if err == nil {
		s.enrolled++
	}
}

// askQueue asks how far everybody is.
func (s *session) askQueue() tea.Cmd {
	s.asked++
	return s.deps.queue(s.asked)
}

// cards returns the YubiKeys that can be used now.
func (s *session) cards() []piv.Identity {
	var cards []piv.Identity
	for _, found := range s.found {
		if found.Err == nil {
			cards = append(cards, found.Identity)
		}
	}
	return cards
}

// present reports whether that card is in a reader.
func (s *session) present(serial uint32) bool {
	for _, card := range s.cards() {
		if card.Serial == serial {
			return true
		}
	}
	return false
}

// problem is an error for a person: what and why, and what to do.
type problem struct{ text, hint string }

func (s *session) explain(err error) problem {
	if err == nil {
		return problem{}
	}
	return problem{text: clean(err.Error()), hint: clean(s.deps.desk.Hint(err))}
}

// explainStep tells what failed apart from why.
func (s *session) explainStep(err error) (what string, why problem) {
	var step *enroll.StepError
	if errors.As(err, &step) {
		return clean(step.Step.Title), s.explain(step.Err)
	}
	return "the enrollment", s.explain(err)
}

func clean(text string) string { return safetext.Clean(text) }
