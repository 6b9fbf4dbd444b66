package desk

import (
	"context"
	"errors"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// Phase is how far the conversation with a person is.
type Phase string

// The phases, in the order in which a person is served.
const (
	PhaseProfile     Phase = "profile"     // which enrollment profile, where there are several
	PhaseStart       Phase = "start"       // the checks and the queue
	PhaseUser        Phase = "user"        // who is next, and what Gmail has for them
	PhaseCard        Phase = "card"        // which card, and what is on it
	PhaseMenu        Phase = "menu"        // what else can be done
	PhasePlan        Phase = "plan"        // what will be done
	PhaseWork        Phase = "work"        // an enrollment runs
	PhaseCertificate Phase = "certificate" // it waits for a certificate
	PhaseFailure     Phase = "failure"     // it failed
	PhaseDone        Phase = "done"        // it is done
	PhaseEnd         Phase = "end"         // nobody else is to be served
)

// Conversation decides what is asked at a desk, of whom, and what follows. It has no
// screen, no goroutine and no I/O: a front end shows the state, tells with Take what
// happened, and carries out the effects that Take returns.
type Conversation struct {
	Phase  Phase
	Single bool // one person, who was named beforehand
	queue
	readers
	// Profiles are the enrollment profiles of which one is chosen in PhaseProfile.
	Profiles []enroll.Choice
	// Checks are nil until they were made; see CheckRunning.
	Checks []Check
	// Retry is when and why Gmail is asked again; nil while no answer is waited for, or
	// the first one.
	Retry *Retried
	// Picked is who was chosen in PhaseUser; zero as long as nobody is. Answered says
	// that Gmail's answer is in AtGmail or Problem.
	Picked   Person
	Answered bool
	AtGmail  AtGmail
	// Person is who is served, with the request as it is begun.
	Person  Person
	Request enroll.Request
	Card    CardStatus // zero Identity while no card was read
	Menu    *Menu      // of PhaseMenu; nil before the first
	Plan    *Plan      // nil before the first plan for the person
	Run     *Run       // the latest of the person; nil before the first
	// Problem is what keeps this phase from going on; nil for nothing.
	Problem error

	base enroll.Request // of the command line
	// replaced is what people's cards take the place of that were begun with and of which nothing is
	// written down yet, by address in lower case.
	replaced map[string]*enroll.Replacement
	// copies says that copies of the person's old keys are to be asked for.
	copies    bool
	numbers   int  // of the latest question or run
	checks    int  // number of the latest checks
	looking   bool // for the certificate, because a person said so
	following bool // a profile is about to be
}

// NewConversation returns the conversation of a desk that begins with that request
// for everybody, and what to do at first. With single it is about one person. With profiles one
// of them is chosen before anything else.
func NewConversation(base enroll.Request, single bool, profiles ...enroll.Choice) (*Conversation, []Effect) {
	c := &Conversation{Phase: PhaseStart, Single: single, base: base, queue: newQueue(), Profiles: profiles, replaced: map[string]*enroll.Replacement{}}
	if len(profiles) > 0 {
		c.Phase = PhaseProfile
		return c, nil
	}
	return c, c.start()
}

// start begins with the checks and the queue.
func (c *Conversation) start() []Effect { return []Effect{MakeChecks{}, c.readQueue(), WatchReaders{}} }

// profileUsed goes on with the enrollment profile that was chosen, or tells why it cannot be
// followed.
func (c *Conversation) profileUsed(event ProfileUsed) []Effect {
	c.following = false
	if c.Problem = event.Err; event.Err != nil {
		return nil
	}
	c.Phase, c.base = PhaseStart, event.Request
	return c.start()
}

// Renews reports whether people are renewed, and not enrolled.
func (c *Conversation) Renews() bool { return c.base.Renew != "" }

// Take takes in what happened, and returns what is to be done then, in that order.
func (c *Conversation) Take(event Event) []Effect {
	switch event := event.(type) {
	case ProfileChosen:
		if c.Phase == PhaseProfile && !c.following {
			c.following, c.Problem = true, nil
			return []Effect{UseProfile(event)}
		}
	case ProfileUsed:
		return c.profileUsed(event)
	case Checked:
		return c.checked(event.Checks)
	case CheckFinished:
		c.checkFinished(event)
	case Retried:
		c.Retry = &event
	case QueueRead:
		for _, entry := range event.Entries {
			c.Roster = true
			c.learn(event.Number, entry)
		}
	case EntryRead:
		return c.entryRead(event)
	case CertificatesDue:
		return c.collectAll()
	case Picked:
		return c.picked(event.Person)
	case GmailRead:
		if event.Email == c.Picked.Email {
			c.Answered, c.AtGmail = true, event.AtGmail
			c.Problem, c.Retry = event.Err, nil
		}
	case ReadersRead:
		c.Found, c.FoundErr, c.Watched, c.Blind = event.Found, event.Err, true, false
		return c.readersRead()
	case WatchEnded:
		c.Blind = true
	case CardChosen:
		c.Chosen = event.Serial
		return c.readCard()
	case CardRead:
		c.cardRead(event)
	case PlanRead:
		return c.planRead(event)
	case KeyChosen:
		return c.keyChosen(event)
	case MenuChosen:
		return c.menuChosen(event.At)
	case SerialTyped:
		if c.Plan != nil {
			c.Plan.Serial, c.Problem = event.Text, nil
		}
	case StepHappened:
		if c.Run.Is(event.Run) {
			c.Run.apply(event.Event)
			c.Retry = nil
		}
	case ReviewAgreed:
		if c.Run.Is(event.Run) {
			c.Run.Agreed = &event.Review
		}
	case RunEnded:
		return c.runEnded(event)
	case Action:
		return c.act(event)
	}
	return nil
}

// act does what a person chose.
func (c *Conversation) act(action Action) []Effect {
	switch action {
	case Stop:
		c.giveUp(action)
		c.Phase = PhaseEnd
		return nil
	case Park:
		c.giveUp(action)
		return c.next()
	}
	switch c.Phase {
	case PhaseStart:
		switch action {
		case GoOn:
			c.enter(PhaseUser)
		case Again:
			c.Checks = nil
			return []Effect{MakeChecks{}, c.readQueue()}
		}
	case PhaseUser:
		return c.actUser(action)
	case PhaseCard:
		return c.actCard(action)
	case PhaseMenu:
		if action == Back {
			return c.leaveMenu()
		}
	case PhasePlan:
		return c.actPlan(action)
	case PhaseCertificate:
		return c.actCertificate(action)
	case PhaseFailure:
		if c.Run.Task != nil {
			return c.actTask(action)
		}
		switch action {
		case Again:
			if c.Run.FailedAtGmail() {
				return c.begin(c.Request, c.Run.Agreed)
			}
			return c.begin(c.Request, nil)
		case Back:
			return c.enter(PhasePlan)
		}
	case PhaseDone:
		if c.Run.Task != nil {
			return c.actTask(action)
		}
		if action == GoOn {
			return c.next()
		}
	}
	return nil
}

// enter begins a phase.
func (c *Conversation) enter(phase Phase) []Effect {
	c.Phase, c.Problem, c.looking, c.Retry = phase, nil, false, nil
	switch phase {
	case PhaseUser:
		c.Picked, c.Answered, c.AtGmail = Person{}, false, AtGmail{}
	case PhaseCard:
		c.Reading = 0 // what was being read told another phase
		return c.readCard()
	case PhasePlan:
		return c.enterPlan()
	}
	return nil
}

// begin starts an enrollment. What was agreed to a moment ago is not asked again.
func (c *Conversation) begin(request enroll.Request, agreed *enroll.Review) []Effect {
	c.Phase, c.Problem, c.Retry, c.Request = PhaseWork, nil, nil, request
	c.numbers++
	c.Run = newRun(c.numbers, request)
	c.Run.Agreed = agreed
	if request.Replaces != nil {
		c.replaced[strings.ToLower(c.Person.Email)] = request.Replaces
	}
	return []Effect{Begin{Run: c.numbers, Person: c.Person, Request: request, Agreed: agreed}}
}

// runEnded goes where the outcome leads.
func (c *Conversation) runEnded(event RunEnded) []Effect {
	if !c.Run.Is(event.Run) {
		return nil
	}
	if c.Run.Task != nil {
		return c.taskEnded(event)
	}
	err := event.Err
	c.Run.end(event)
	c.Card = CardStatus{} // it is another now
	c.Request = c.Request.Again(err)
	if err != nil && event.Stopped {
		err = context.Canceled // whatever the stopping came to
	}
	c.served(event.Entry, event.Receipt, err)
	switch {
	case err == nil:
		delete(c.replaced, strings.ToLower(c.Person.Email))
		return c.enter(PhaseDone)
	case errors.Is(err, enroll.ErrDeclined), errors.Is(err, context.Canceled):
		return c.enter(PhasePlan)
	case len(issuer.Waits(err)) > 0:
		return c.enter(PhaseCertificate)
	}
	return c.enter(PhaseFailure)
}

// Left is why not everybody is done whom the conversation turned to, see Left and
// LeftOf.
func (c *Conversation) Left() error {
	if !c.Single {
		return Left(c.Entries, c.Failures)
	}
	if c.Run != nil && c.Run.Task != nil && !c.Run.Task.ofCard() && c.Run.Ended && c.Run.Err == nil {
		return nil
	}
	email := c.Person.Email
	if email == "" {
		email = c.Picked.Email
	}
	entry, _ := c.Entry(email)
	entry.Email = email
	return LeftOf(entry, c.Failures)
}
