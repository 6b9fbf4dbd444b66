package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Enrollments serves the people of the desk one after the other, or those whose
// addresses are typed, and writes their receipts. With first it serves that
// person alone.
//
// It returns what desk.Left does, for one person desk.LeftOf. As soon as ctx ends it
// returns context.Canceled, and prompt.ErrEndOfInput where an answer was needed; whatever
// was begun then goes on the next time.
func Enrollments(ctx context.Context, terminal *prompt.Terminal, receipts io.Writer, d *desk.Desk, first string) error {
	f := &flow{Terminal: terminal, receipts: receipts, desk: d, single: first != "", failures: desk.Failures{}}
	for _, person := range d.People {
		if !f.single || strings.EqualFold(person.Email, first) {
			f.entries = append(f.entries, desk.QueueEntry{Person: person})
		}
	}
	if f.single && len(f.entries) == 0 {
		f.entries = []desk.QueueEntry{{Person: desk.Person{Email: first}}}
	}
	next, err := f.start(ctx)
	switch {
	case err != nil:
		return err
	case f.single:
		return f.serveOne(ctx, next)
	case next == stop:
		return nil
	}
	if err := f.serveAll(ctx); err != nil {
		return err
	}
	f.say("%s", f.tally())
	return desk.Left(f.entries, f.failures)
}

// serveOne serves the person who was named beforehand, unless start was stopped.
func (f *flow) serveOne(ctx context.Context, next turn) error {
	if next != stop {
		if _, err := f.serve(ctx, 0); err != nil {
			return err
		}
	}
	return desk.LeftOf(f.entries[0], f.failures)
}

// flow is one session at a desk.
type flow struct {
	*prompt.Terminal
	desk *desk.Desk
	// receipts is where the outcome goes, apart from what is said meanwhile.
	receipts io.Writer
	single   bool // one person, named beforehand
	// entries are the people of the roster, and whoever was served besides.
	entries  []desk.QueueEntry
	failures desk.Failures
}

// turn is where the flow turns next.
type turn string

const (
	goOn   turn = "go on"
	again  turn = "again"
	look   turn = "look" // for the certificate
	replan turn = "plan"
	park   turn = "park"
	stop   turn = "stop"
)

// text is the choice in a person's words.
func (t turn) text() string {
	switch t {
	case goOn:
		return "begin"
	case again:
		return "again"
	case look:
		return "look again"
	case replan:
		return "change the plan"
	case park:
		return "park this person, and serve the next one"
	}
	return "stop; what was done stays done"
}

// serving is one person's turn.
type serving struct {
	entry   int // index
	person  desk.Person
	card    desk.CardStatus
	request enroll.Request
	// pin was typed for this person a moment ago, and is kept while they wait for
	// their certificate, for desk.PINKept.
	pin   secret.Secret
	typed time.Time
}

// serveAll serves until everybody is done or nobody else is to be.
func (f *flow) serveAll(ctx context.Context) error {
	roster := len(f.entries) > 0
	for {
		entry, err := f.pick(ctx)
		if err != nil || entry < 0 {
			return err
		}
		next, err := f.serve(ctx, entry)
		if err != nil || next == stop {
			return err
		}
		if !roster {
			if more, err := f.Confirm(ctx, enroll.Question{Text: "next person?"}); err != nil || !more {
				return err
			}
		} else if f.count(enroll.StageDone) == len(f.entries) {
			return nil
		}
	}
}

// serve takes one person as far as possible. It returns goOn, park or stop;
// its errors end the flow.
func (f *flow) serve(ctx context.Context, entry int) (turn, error) {
	f.entries[entry] = f.desk.Collect(ctx, f.entries[entry].Person)
	s := &serving{entry: entry, person: f.entries[entry].Person, request: f.desk.RequestFor(f.entries, f.entries[entry])}
	const planning = 2 // among the stages
	stages := []func(context.Context, *serving) (turn, error){f.user, f.card, f.plan, f.run}
	for at := 0; at < len(stages); {
		next, err := stages[at](ctx, s)
		switch {
		case err != nil:
			return stop, err
		case next == goOn:
			at++
		case next == again:
		case next == replan:
			at = planning
		default:
			return next, nil
		}
	}
	return goOn, nil
}

// trouble tells what went wrong and has a person choose what to do.
func (f *flow) trouble(ctx context.Context, s *serving, what string, err error, choices ...turn) (turn, error) {
	if ctx.Err() != nil || errors.Is(err, prompt.ErrEndOfInput) {
		return stop, err
	}
	f.failures.Note(s.person.Email, err)
	if errors.Is(err, enroll.ErrDeclined) {
		f.say("declined: %s", what)
	} else {
		f.say("failed: %s", what)
		f.explain(err)
	}
	return f.turn(ctx, "what now?", choices...)
}

// explain says why something went wrong, and what to do about it.
func (f *flow) explain(err error) {
	var step *enroll.StepError
	if errors.As(err, &step) {
		err = step.Err
	}
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

// turn asks which way to go. One person alone cannot be parked.
func (f *flow) turn(ctx context.Context, text string, choices ...turn) (turn, error) {
	var list []enroll.Choice
	for _, choice := range choices {
		if choice != park || !f.single {
			list = append(list, enroll.Choice{ID: string(choice), Text: choice.text()})
		}
	}
	answer, err := f.Choose(ctx, enroll.Question{Text: text}, list)
	return turn(answer), err
}

// say writes a line; whatever came from outside cannot steer the terminal.
func (f *flow) say(format string, args ...any) {
	fmt.Fprintln(f.Out, safetext.Clean(fmt.Sprintf(format, args...)))
}
