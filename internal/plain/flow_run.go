package plain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// run carries out the plan, to the receipt or to what stands in its way.
func (f *flow) run(ctx context.Context, begin desk.Begin) error {
	others := &otherCards{wanted: begin.Request.Serial, desk: f.desk, say: f.say}
	tell := Progress(f.Out, f.desk.Bell)
	user := &user{Terminal: f.Terminal, typed: &f.pin, own: f.desk.Own, tell: func(event enroll.Event) {
		if event.State == enroll.StateCardBack {
			others.finish()
		}
		f.saying.Lock()
		tell(event)
		f.saying.Unlock()
		if event.State == enroll.StateCardOut {
			others.watch(ctx)
		}
	}}
	done, err := f.desk.Carry(ctx, begin, desk.FrontEnd{Prompter: user, Notify: user.notify, Review: f.review, Agreed: begin.Agreed})
	others.finish()
	entry := f.desk.After(ctx, begin.Person, begin.Request.Serial, err)
	if ctx.Err() != nil || errors.Is(err, prompt.ErrEndOfInput) {
		return err
	}
	if !desk.RemembersPIN(err) {
		f.pin = typedPIN{}
	}
	if errors.Is(err, enroll.ErrDeclined) {
		f.declined, _ = stepOf(err)
	}
	if begin.Task != nil && f.declined != "" {
		f.say("declined: %s; nothing is changed", f.declined)
		f.declined = ""
	}
	if f.agreed != nil {
		f.talk.Take(desk.ReviewAgreed{Run: begin.Run, Review: *f.agreed})
		f.agreed = nil
	}
	return f.tell(ctx, desk.RunEnded{Run: begin.Run, Carried: done, Err: err, Entry: entry})
}

// typedPIN is the PIN that was typed a moment ago. It is kept where desk.RemembersPIN,
// for desk.PINKept.
type typedPIN struct {
	pin  secret.Secret
	when time.Time
}

// user is the person who is asked by an enrollment.
type user struct {
	*prompt.Terminal
	typed *typedPIN
	tell  func(enroll.Event)
	note  string // the latest one
	own   bool   // the user is the one who is asked all along
}

func (u *user) notify(event enroll.Event) {
	if event.State == enroll.StateNote {
		u.note = event.Message
	}
	u.tell(event)
}

// Secret hands the keyboard to the user. A PIN that was typed before the person
// waited for their certificate answers once.
func (u *user) Secret(ctx context.Context, question enroll.SecretQuestion) (secret.Secret, error) {
	if question.ID != enroll.QuestionPIN {
		return u.Terminal.Secret(ctx, question)
	}
	known := *u.typed
	*u.typed = typedPIN{}
	if !question.New && question.Problem == "" && !known.pin.IsZero() && time.Since(known.when) < desk.PINKept {
		*u.typed = known
		return known.pin, nil
	}
	if question.Problem == u.note {
		question.Problem = "" // it was just said
	}
	hand := "hand the keyboard to the user; "
	if u.own {
		hand = ""
	}
	fmt.Fprintln(u.Out, hand+"nothing of what is typed is shown")
	pin, err := u.Terminal.Secret(ctx, question)
	*u.typed = typedPIN{pin, time.Now()}
	return pin, err
}
