package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Enrollments serves the people of the desk one after the other, or those whose
// addresses are typed, and writes their receipts. With first it serves that
// person alone. For many it ends with a Summary.
//
// It returns what desk.Left does, for one person desk.LeftOf. As soon as ctx ends it
// returns context.Canceled, and prompt.ErrEndOfInput where an answer was needed; whatever
// was begun then goes on the next time.
func Enrollments(ctx context.Context, terminal *prompt.Terminal, receipts io.Writer, d *desk.Desk, first string) error {
	talk, effects := desk.NewConversation(d.Request, first != "", d.Profiles...)
	f := &flow{Terminal: terminal, receipts: receipts, desk: d, talk: talk, first: first}
	if d.Retries != nil {
		d.Retries(f.retried)
	}
	if d.Practice != nil {
		f.say("%s", line(describe.Practice()))
	}
	err := f.carryOut(ctx, effects)
	for err == nil && talk.Phase != desk.PhaseEnd {
		var event desk.Event
		if event, err = f.ask(ctx); err == nil {
			err = f.tell(ctx, event)
		}
	}
	if first == "" {
		_ = Summary(f.Out, talk, d.LeftOut)
	}
	if err != nil {
		return err
	}
	return talk.Left()
}

// flow is one session at a desk: its conversation line by line.
type flow struct {
	*prompt.Terminal
	desk *desk.Desk
	talk *desk.Conversation
	// receipts is where the outcome goes, apart from what is said meanwhile.
	receipts io.Writer
	first    string     // the one person, named beforehand; empty for many
	saying   sync.Mutex // also of those who try again
	served   bool       // whether somebody was turned to
	// pause is how long a card that was just put in may take to answer.
	pause time.Duration
	// agreed is what was agreed to in a review; nil for nothing.
	agreed *enroll.Review
	// declined is what somebody said no to in the run that just ended.
	declined string
	pin      typedPIN
	// more says that something else than an enrollment is wanted for who is picked, and offered that
	// it was offered.
	more, offered bool
	purpose       string // that was said last
}

// ask shows where the conversation is and returns what a person does then.
func (f *flow) ask(ctx context.Context) (desk.Event, error) {
	switch f.talk.Phase {
	case desk.PhaseProfile:
		return f.profile(ctx)
	case desk.PhaseStart:
		return f.start(ctx)
	case desk.PhaseUser:
		if f.talk.Picked.Email == "" {
			return f.pick(ctx)
		}
		return f.user(ctx)
	case desk.PhaseCard:
		return f.card(ctx)
	case desk.PhaseMenu:
		return f.menu(ctx)
	case desk.PhasePlan:
		return f.plan(ctx)
	case desk.PhaseCertificate:
		return f.await(ctx)
	case desk.PhaseFailure:
		what, err := stepOf(f.talk.Run.Err)
		if f.talk.Run.Task != nil {
			return f.trouble(ctx, what, err, again, option{desk.Back, "something else"}, park, stop)
		}
		entry, _ := f.talk.Entry(f.talk.Person.Email)
		f.sayAll("", describe.FactoryManagementKey(entry.Progress))
		return f.trouble(ctx, what, err, again, replan, park, stop)
	}
	if f.talk.Run.Task != nil {
		f.say("done: %s", f.talk.Run.Task.Title())
		f.sayLines()
		return desk.GoOn, nil
	}
	err := ShortReceipt(f.receipts, f.talk.Run.Receipt)
	f.sayLines()
	return desk.GoOn, err
}

// tell tells the conversation what happened, and does what follows.
func (f *flow) tell(ctx context.Context, event desk.Event) error {
	return f.carryOut(ctx, f.talk.Take(event))
}

// carryOut carries out the effects. Its error is that of ctx, or of the input.
func (f *flow) carryOut(ctx context.Context, effects []desk.Effect) error {
	for _, effect := range effects {
		var err error
		switch effect := effect.(type) {
		case desk.MakeChecks:
			event := f.desk.Do(ctx, effect).(desk.Checked)
			for _, check := range event.Checks {
				f.sayCheck(check)
			}
			err = f.finishChecks(ctx, f.talk.Take(event))
		case desk.WatchReaders: // they are looked into when a card is asked for
		case desk.Begin:
			err = f.run(ctx, effect)
		case desk.ReadGmail:
			f.introduce()
			err = f.tell(ctx, f.desk.Do(ctx, effect))
		default:
			err = f.tell(ctx, f.desk.Do(ctx, effect))
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// option is an action in a person's words.
type option struct {
	action desk.Action
	text   string
}

var (
	begin   = option{desk.GoOn, "begin"}
	look    = option{desk.GoOn, "look again"}
	again   = option{desk.Again, "again"}
	replan  = option{desk.Back, "change the plan"}
	another = option{desk.Back, "take another card"}
	park    = option{desk.Park, "park this person, and serve the next one"}
	stop    = option{desk.Stop, "stop; what was done stays done"}
	more    = option{desk.More, "something else than to enroll"}
)

// choose has one of the options chosen. One person alone cannot be parked.
func (f *flow) choose(ctx context.Context, text string, options ...option) (desk.Action, error) {
	var list []enroll.Choice
	for _, option := range options {
		if option != park || !f.talk.Single {
			list = append(list, enroll.Choice{ID: string(option.action), Text: option.text})
		}
	}
	answer, err := f.Choose(ctx, enroll.Question{Text: text}, list)
	return desk.Action(answer), err
}

// trouble tells what went wrong and has a person choose what to do.
func (f *flow) trouble(ctx context.Context, what string, err error, options ...option) (desk.Event, error) {
	if errors.Is(err, enroll.ErrDeclined) {
		f.say("declined: %s", what)
	} else {
		f.say("failed: %s", what)
		f.explain(err)
	}
	return f.choose(ctx, "what now?", options...)
}

// stepOf tells the step that failed apart from why.
func stepOf(err error) (string, error) {
	if step, found := errors.AsType[*enroll.StepError](err); found {
		return step.Step.Title, step.Err
	}
	if task, found := errors.AsType[*desk.TaskError](err); found {
		return task.Task.Title(), task.Err
	}
	return "the enrollment", err
}

// explain says why something went wrong, and what to do about it.
func (f *flow) explain(err error) {
	f.say("  why: %v", err)
	if hint := f.desk.Hint(err); hint != "" {
		f.say("  hint: %s", hint)
	}
}

// withHint is an error with what to do about it.
func (f *flow) withHint(err error) string {
	if hint := f.desk.Hint(err); hint != "" {
		return fmt.Sprintf("%v; hint: %s", err, hint)
	}
	return err.Error()
}

// retried says why Gmail did not answer, and when it is asked again. Whoever waits for
// the answer says nothing meanwhile.
func (f *flow) retried(event desk.Retried) {
	f.say("  %s", line(describe.Retry(event.Err, event.At)))
}

// say writes a line; whatever came from outside cannot steer the terminal.
func (f *flow) say(format string, args ...any) {
	f.saying.Lock()
	defer f.saying.Unlock()
	fmt.Fprintln(f.Out, safetext.Clean(fmt.Sprintf(format, args...)))
}

// sayAll says values, one a line.
func (f *flow) sayAll(indent string, values []describe.Value) {
	for _, value := range values {
		f.say("%s%s", indent, line(value))
	}
}
