package tui

import (
	"context"
	"errors"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Model is the wizard's root: it passes messages to the screen that is shown,
// follows a running enrollment from screen to screen, and frames the view.
type Model struct {
	session *session
	screens map[screenID]screen
	at      screenID
	drawer  *drawer // the practice lab's; nil with real cards

	width, height int
	scroll        int
	help          bool
	leaving       leaving
	burst         burst
	stopped       bool       // by a person, in the middle of an enrollment
	broken        *brokenMsg // nil as long as all is well
}

// leaving is how far the wizard is with ending while an enrollment runs.
type leaving int

const (
	leavingNot   leaving = iota
	leavingAsked         // whether to stop the running step
	leavingBack          // stopping, then back to the plan
	leavingQuit          // stopping, then the end
)

// newModel returns the wizard for a desk. With an address it serves that person
// alone.
func newModel(w deps, email string) *Model {
	s := &session{deps: w, styles: newStyles(true), keys: newKeyMap(), failures: desk.Failures{}, changed: map[string]int{}, collecting: map[string]bool{}, single: email != ""}
	m := &Model{session: s, screens: newScreens(s), width: minWidth, height: minHeight}
	if w.desk.Practice != nil {
		m.drawer = &drawer{}
	}
	if email != "" {
		m.screens[screenUser].(*userScreen).fill(email)
	}
	return m
}

func newScreens(s *session) map[screenID]screen {
	return map[screenID]screen{
		screenStart: &startScreen{}, screenUser: newUserScreen(s), screenCard: &cardScreen{}, screenPlan: newPlanScreen(s),
		screenPIN: &pinScreen{}, screenWork: &workScreen{}, screenCertificate: &certificateScreen{}, screenReview: &reviewScreen{},
		screenDone: &doneScreen{}, screenQuestion: newQuestionScreen(s), screenFailure: &failureScreen{},
	}
}

// Init looks at the desk.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, m.session.deps.check(), m.session.askQueue(), m.session.deps.watch(), m.session.deps.collectLater(), m.show(screenStart))
}

// Update is called by bubbletea with every message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.take(msg)
	for s := m.session; len(s.outbox) > 0; {
		told := s.outbox[0]
		s.outbox = s.outbox[1:]
		cmd = tea.Batch(cmd, m.take(told))
	}
	return m, cmd
}

// take is Update for one message.
func (m *Model) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		if msg.Width > 0 && msg.Height > 0 { // else the terminal does not tell
			m.width, m.height, m.scroll = msg.Width, msg.Height, 0
		}
		return nil
	case tea.BackgroundColorMsg:
		m.session.styles = newStyles(msg.IsDark())
		return m.screens[m.at].update(m.session, msg)
	case tea.KeyPressMsg:
		return m.press(msg)
	case tea.PasteMsg:
		if m.covered() {
			return nil // nobody would see where it went
		}
		return m.screens[m.at].update(m.session, msg)
	case showMsg:
		return m.show(msg.screen)
	case pickedMsg:
		if !strings.EqualFold(msg.person.Email, m.session.person.Email) {
			m.forget()
		}
		m.session.pick(msg.person)
		return m.show(screenCard)
	case nextPersonMsg:
		return m.nextPerson()
	case beginMsg:
		return m.begin(msg.request)
	case finishedMsg:
		return m.finished(msg)
	case brokenMsg:
		m.broken = &msg
		return tea.Quit
	}
	if asked, cmd := m.asked(msg); asked {
		return cmd
	}
	again := m.session.note(msg)
	if m.drawer != nil {
		again = tea.Batch(again, m.drawer.update(m.session, msg))
	}
	return tea.Batch(again, m.screens[m.at].update(m.session, msg))
}

// show changes the screen.
func (m *Model) show(id screenID) tea.Cmd {
	m.at, m.scroll, m.help = id, 0, false
	return m.screens[id].enter(m.session)
}

// covered reports whether something is shown over the screen.
func (m *Model) covered() bool {
	return m.small() || m.help || m.leaving != leavingNot || m.drawer != nil && m.drawer.open
}

// press takes a key: the wizard's own first, then the screen's.
func (m *Model) press(msg tea.KeyPressMsg) tea.Cmd {
	if m.burst.swallow(msg) {
		return m.session.tell(otpTypedMsg{})
	}
	keys := m.session.keys
	switch {
	case m.small() && !key.Matches(msg, keys.Quit):
		return nil // nobody would see what it does
	case m.leaving == leavingAsked:
		return m.pressLeaving(msg)
	case m.leaving != leavingNot:
		if key.Matches(msg, keys.Quit) {
			m.leaving = leavingQuit // once it has stopped
		}
		return nil
	case key.Matches(msg, keys.Quit):
		return m.askToLeave()
	case m.help:
		m.help = false
		return nil
	case m.drawer != nil && m.drawer.open:
		return m.drawer.press(m.session, msg)
	case m.drawer != nil && key.Matches(msg, keys.Practice):
		return m.drawer.show(m.session)
	case key.Matches(msg, keys.Help) && (msg.Text == "" || !m.screens[m.at].typing()):
		m.help = true
		return nil
	case key.Matches(msg, keys.PageUp):
		m.scroll = max(0, m.scroll-1)
		return nil
	case key.Matches(msg, keys.PageDown), key.Matches(msg, keys.Next) && m.unread():
		m.scroll = min(m.scroll+1, m.pages())
		return nil
	case key.Matches(msg, keys.Back) && m.session.run.active():
		return m.askToLeave()
	case m.at == screenPlan && key.Matches(msg, keys.Up, keys.Down, keys.Change):
		m.scroll = 0 // what moves or changes is seen
	}
	return m.screens[m.at].update(m.session, msg)
}

// askToLeave ends the wizard, after a question where an enrollment runs.
func (m *Model) askToLeave() tea.Cmd {
	if !m.session.run.active() {
		return tea.Quit
	}
	m.leaving = leavingAsked
	return nil
}

func (m *Model) pressLeaving(msg tea.KeyPressMsg) tea.Cmd {
	keys := m.session.keys
	switch {
	case key.Matches(msg, keys.Quit):
		m.leaving = leavingQuit
	case key.Matches(msg, keys.Back):
		m.leaving = leavingBack
	case key.Matches(msg, keys.Next):
		m.leaving = leavingNot
		return nil
	default:
		return nil
	}
	m.session.run.cancel()
	return nil
}

// begin starts an enrollment.
func (m *Model) begin(request enroll.Request) tea.Cmd {
	s := m.session
	var known secret.Secret
	if s.run != nil && s.run.request.Serial == request.Serial {
		known = s.run.typed
	}
	ctx, cancel := context.WithCancel(s.deps.ctx)
	s.request = request
	s.runs++
	s.run = newRunning(s.runs, request, cancel)
	s.run.typed = known // for as long as it waits
	return tea.Batch(s.deps.enroll(ctx, s.person, request, &conversation{run: s.run.id, send: s.deps.send, known: known}), s.deps.beat(), m.show(screenWork))
}

// asked shows the screen for a question of the running enrollment.
func (m *Model) asked(msg tea.Msg) (bool, tea.Cmd) {
	var run int
	var id screenID
	var cancel func()
	switch msg := msg.(type) {
	case secretAsked:
		run, id, cancel = msg.run, screenPIN, func() { msg.reply <- cancelled(msg.reply) }
	case choiceAsked:
		run, id, cancel = msg.run, screenQuestion, func() { msg.reply <- cancelled(msg.reply) }
	case agreementAsked:
		run, id, cancel = msg.run, screenQuestion, func() { msg.reply <- cancelled(msg.reply) }
	case reviewAsked:
		run, id, cancel = msg.run, screenReview, func() { msg.reply <- cancelled(msg.reply) }
	default:
		return false, nil
	}
	if !m.session.run.is(run) || m.leaving == leavingBack || m.leaving == leavingQuit {
		cancel()
		return true, nil
	}
	return true, tea.Batch(m.show(id), m.screens[id].update(m.session, msg))
}

func cancelled[T any](chan<- answer[T]) answer[T] { return answer[T]{err: context.Canceled} }

// finished goes where the enrollment's outcome leads.
func (m *Model) finished(msg finishedMsg) tea.Cmd {
	s := m.session
	if !s.run.is(msg.run) {
		return nil
	}
	s.run.end(msg)
	m.screens[screenPIN].update(s, msg) // forgets what was being typed
	leaving := m.leaving
	m.leaving = leavingNot
	s.card = desk.CardStatus{} // it is another now
	s.request = s.request.Again(msg.err)
	err := msg.err
	if err != nil && (leaving == leavingBack || leaving == leavingQuit) {
		err = context.Canceled // whatever the stopping came to
	}
	s.served(msg.entry, err)
	switch {
	case leaving == leavingQuit:
		m.stopped = err != nil
		return tea.Quit
	case err == nil:
		return m.show(screenDone)
	case errors.Is(err, enroll.ErrDeclined), errors.Is(err, context.Canceled):
		return m.show(screenPlan)
	case len(issuer.Waits(err)) > 0:
		return tea.Batch(s.deps.forgetLater(s.run.id), m.show(screenCertificate))
	}
	return m.show(screenFailure)
}

// nextPerson clears what was typed for the last one.
func (m *Model) nextPerson() tea.Cmd {
	s := m.session
	if s.single {
		return tea.Quit
	}
	s.run, s.person, s.atGmail = nil, desk.Person{}, desk.AtGmail{}
	m.screens[screenUser] = newUserScreen(s)
	m.forget()
	return tea.Batch(s.askQueue(), m.show(screenUser))
}

// forget forgets card and plan of the person before.
func (m *Model) forget() {
	m.screens[screenCard] = &cardScreen{}
	m.screens[screenPlan] = newPlanScreen(m.session)
}

// note keeps what commands report in the session.
func (s *session) note(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case checkedMsg:
		s.checks = msg.checks
	case queueMsg:
		for _, entry := range msg.entries {
			s.roster = true
			s.learn(msg.request, entry)
		}
	case collectedMsg:
		delete(s.collecting, strings.ToLower(msg.entry.Email))
		s.learn(msg.request, msg.entry)
	case foundMsg:
		s.found, s.foundErr, s.watched, s.blind = msg.found, msg.err, true, false
		s.forgetPulled()
	case unwatchedMsg:
		s.blind = true
	case eventMsg:
		if s.run.is(msg.run) {
			s.run.apply(msg.event)
		}
	case beatMsg:
		if s.run.active() {
			s.run.beat(msg)
			return s.deps.beat()
		}
	case forgetMsg:
		if s.run.is(msg.run) && !s.run.active() {
			s.run.typed = secret.Secret{}
		}
	case collectMsg:
		return tea.Batch(append(s.collectAll(), s.deps.collectLater())...)
	}
	return nil
}

// collectAll asks for the certificates of everybody who waits and is not being
// served.
func (s *session) collectAll() []tea.Cmd {
	var cmds []tea.Cmd
	for _, entry := range s.entries {
		email := strings.ToLower(entry.Email)
		if entry.Stage == enroll.StageWaiting && !s.collecting[email] && !s.serves(entry.Email) {
			s.collecting[email] = true
			s.asked++
			cmds = append(cmds, s.deps.collect(s.asked, entry.Person))
		}
	}
	return slices.Clip(cmds)
}
