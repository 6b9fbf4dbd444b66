package tui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Model is the wizard's root: it passes messages to the screen that is shown,
// follows a running enrollment from screen to screen, and frames the view.
type Model struct {
	session *session
	screens map[screenID]screen
	at      screenID
	first   []desk.Effect // what the conversation begins with
	drawer  *drawer       // the practice lab's; nil with real cards

	width, height int
	scroll        int
	help          bool
	leaving       leaving
	burst         burst
	stopped       bool       // by a person, in the middle of an enrollment
	broken        *brokenMsg // nil as long as all is well
}

// newModel returns the wizard for a desk. With an address it serves that person
// alone.
func newModel(w commands, email string) *Model {
	talk, effects := desk.NewConversation(w.desk.Request, email != "", w.desk.Profiles...)
	s := &session{Conversation: talk, commands: w, styles: newStyles(true), keys: newKeyMap()}
	m := &Model{session: s, screens: newScreens(s), first: effects, width: minWidth, height: minHeight}
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
		screenDone: &doneScreen{}, screenQuestion: newQuestionScreen(s), screenFailure: &failureScreen{}, screenProfile: &profileScreen{}, screenMenu: &menuScreen{},
	}
}

// Init looks at the desk.
func (m *Model) Init() tea.Cmd {
	m.show(phaseScreens[m.session.Phase])
	return tea.Batch(tea.RequestBackgroundColor, m.carryOut(m.first), m.session.commands.collectLater())
}

// Update is called by bubbletea with every message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	touch, ready := m.session.calls()
	cmd := m.take(msg)
	for s := m.session; len(s.outbox) > 0; {
		told := s.outbox[0]
		s.outbox = s.outbox[1:]
		cmd = tea.Batch(cmd, m.take(told))
	}
	if touchNow, readyNow := m.session.calls(); m.session.commands.desk.Bell && (touchNow && !touch || readyNow > ready) {
		cmd = tea.Batch(cmd, tea.Raw("\a"))
	}
	return m, cmd
}

// calls tells what somebody may be called for: whether the card waits for a touch, and for
// how many people the certificate has come.
func (s *session) calls() (touch bool, ready int) {
	for _, entry := range s.Entries {
		if entry.Stage == enroll.StageReady {
			ready++
		}
	}
	return s.Run != nil && s.Run.Touch != "", ready
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
		m.show(msg.screen)
		return nil
	case beatMsg:
		if m.session.Run.Active() {
			m.session.Run.Now = time.Time(msg)
			m.session.turns++
			return m.session.commands.beat()
		}
		return nil
	case forgetMsg:
		if run := m.session.Run; run.Is(msg.run) && !run.Active() {
			m.session.typed = secret.Secret{}
		}
		return nil
	case suspendMsg:
		return tea.Exec(stopping(msg), nil)
	case redrawMsg:
		return tea.ClearScreen
	case brokenMsg:
		m.broken = &msg
		return tea.Quit
	case desk.RunEnded:
		return m.ended(msg)
	}
	if asked, cmd := m.asked(msg); asked {
		return cmd
	}
	cmd := m.tell(msg)
	if m.drawer != nil {
		cmd = tea.Batch(cmd, m.drawer.update(m.session, msg))
	}
	return tea.Batch(cmd, m.screens[m.at].update(m.session, msg))
}

// phaseScreens are the screens of the conversation's phases.
var phaseScreens = map[desk.Phase]screenID{
	desk.PhaseProfile: screenProfile, desk.PhaseStart: screenStart, desk.PhaseUser: screenUser, desk.PhaseCard: screenCard, desk.PhasePlan: screenPlan, desk.PhaseWork: screenWork,
	desk.PhaseMenu: screenMenu, desk.PhaseCertificate: screenCertificate, desk.PhaseFailure: screenFailure, desk.PhaseDone: screenDone,
}

// tell tells the conversation what happened, does what follows, and shows where it is
// then.
func (m *Model) tell(event desk.Event) tea.Cmd {
	s := m.session
	was, run := s.Phase, s.Run
	cmd := m.carryOut(s.Take(event))
	if s.Run == nil && run != nil || s.Person.Email == "" {
		s.typed = secret.Secret{}
	}
	if _, typed := event.(desk.SerialTyped); typed || m.at == screenPlan && s.Problem != nil {
		m.scroll = 0 // what is typed, or stands in the way, is seen
	}
	if _, due := event.(desk.CertificatesDue); due {
		cmd = tea.Batch(cmd, s.commands.collectLater())
	}
	switch {
	case s.Phase == was && s.Phase == desk.PhaseMenu:
		m.scroll = 0 // another menu
	case s.Phase == was:
	case s.Phase == desk.PhaseEnd:
		cmd = tea.Batch(cmd, tea.Quit)
	case s.Phase == desk.PhaseUser && s.Person.Email == "" && was != desk.PhaseStart:
		m.screens[screenUser] = newUserScreen(s) // what was typed was the last person's
		fallthrough
	default:
		m.show(phaseScreens[s.Phase])
	}
	return cmd
}

// carryOut makes commands of the effects.
func (m *Model) carryOut(effects []desk.Effect) tea.Cmd {
	s := m.session
	var cmds []tea.Cmd
	for _, effect := range effects {
		switch effect := effect.(type) {
		case desk.Begin:
			cmds = append(cmds, m.begin(effect))
		case desk.WatchReaders:
			cmds = append(cmds, s.commands.watch())
		case desk.ReadPlan:
			if s.stop != nil {
				s.stop() // nobody waits for that answer any more
			}
			var ctx context.Context
			ctx, s.stop = context.WithCancel(s.commands.ctx)
			cmds = append(cmds, s.commands.carryOut(ctx, effect))
		default:
			cmds = append(cmds, s.commands.carryOut(s.commands.ctx, effect))
		}
	}
	return tea.Batch(cmds...)
}

// show changes the screen.
func (m *Model) show(id screenID) {
	m.at, m.scroll, m.help = id, 0, false
	m.screens[id].enter(m.session)
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
	case m.help && !key.Matches(msg, keys.PageUp, keys.PageDown):
		m.help = false
		return nil
	case m.drawer != nil && m.drawer.open:
		return m.drawer.press(m.session, msg)
	case m.drawer != nil && key.Matches(msg, keys.Practice):
		return m.drawer.show(m.session)
	case key.Matches(msg, keys.Help) && (msg.Text == "" || !m.screens[m.at].typing(m.session)):
		m.help, m.scroll = true, 0
		return nil
	case key.Matches(msg, keys.PageUp):
		m.scroll = max(0, m.scroll-1)
		return nil
	case key.Matches(msg, keys.PageDown), key.Matches(msg, keys.Next) && m.unread():
		m.scroll = min(m.scroll+1, m.pages())
		return nil
	case key.Matches(msg, keys.Back) && m.session.Run.Active():
		return m.askToLeave()
	case m.at == screenPlan && key.Matches(msg, keys.Up, keys.Down, keys.Change):
		m.scroll = 0 // what moves or changes is seen
	}
	return m.screens[m.at].update(m.session, msg)
}

// begin starts an enrollment.
func (m *Model) begin(begin desk.Begin) tea.Cmd {
	s := m.session
	if s.typedFor != begin.Request.Serial {
		s.typed = secret.Secret{}
	}
	ctx, cancel := context.WithCancel(s.commands.ctx)
	s.cancel = cancel
	return tea.Batch(s.commands.enroll(ctx, begin, &prompter{run: begin.Run, send: s.commands.send, known: s.typed}), s.commands.beat())
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
	case inputAsked:
		run, id, cancel = msg.run, screenQuestion, func() { msg.reply <- cancelled(msg.reply) }
	case reviewAsked:
		run, id, cancel = msg.run, screenReview, func() { msg.reply <- cancelled(msg.reply) }
	default:
		return false, nil
	}
	if !m.session.Run.Is(run) || m.leaving == leavingBack || m.leaving == leavingQuit {
		cancel()
		return true, nil
	}
	m.show(id)
	return true, m.screens[id].update(m.session, msg)
}

func cancelled[T any](chan<- answer[T]) answer[T] { return answer[T]{err: context.Canceled} }

// ended goes where the enrollment's outcome leads.
func (m *Model) ended(msg desk.RunEnded) tea.Cmd {
	s := m.session
	if !s.Run.Is(msg.Run) {
		return nil
	}
	s.cancel()
	m.screens[screenPIN].update(s, msg) // forgets what was being typed
	leaving := m.leaving
	m.leaving = leavingNot
	msg.Stopped = leaving == leavingBack || leaving == leavingQuit
	var later tea.Cmd
	if desk.RemembersPIN(msg.Err) {
		later = s.commands.forgetLater(msg.Run)
	} else {
		s.typed = secret.Secret{}
	}
	cmd := tea.Batch(later, m.tell(msg))
	if leaving == leavingQuit {
		m.stopped = msg.Err != nil
		return tea.Quit
	}
	return cmd
}
