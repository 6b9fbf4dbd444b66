// Package desk is what an enrollment desk has and can do, whatever its front
// end: the people to enroll and how far each of them is, the cards in the
// readers, what Gmail has for somebody, and enrollments themselves. The
// full-screen wizard and the line-by-line one work on the same Desk, and draw the same
// Conversation, which decides what is asked of whom and what follows.
package desk

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Desk is everything outside that a front end asks. Its functions do I/O, may
// block until their context ends, and may be called from several goroutines.
type Desk struct {
	// Dependencies is what enrollments work on; the front end adds itself (see Enroll).
	Dependencies enroll.Dependencies
	// Request holds what the command line asked for: keys, card, secrets.
	Request enroll.Request
	// Profiles are the enrollment profiles of which one is to be chosen first; none where that is
	// settled. UseProfile has Dependencies and Request be as the one of that name says.
	Profiles   []enroll.Choice
	UseProfile func(ctx context.Context, name string) error
	// People are the ones to enroll, in the roster's order; empty without one.
	People []Person
	// RenewsSince is when a desk began that renews what people are enrolled with: who was
	// enrolled before is still to be served. It is zero for a desk that enrolls.
	RenewsSince time.Time
	// LeftOut are the lines of the roster that cannot be used.
	LeftOut []*RosterError
	// Checks looks whether everything is there that an enrollment needs. What takes
	// its time is left to Check.Finish.
	Checks func(ctx context.Context) []Check
	// Retries has tell called each time that Gmail is to be asked again after an error
	// that may pass; nil where that is not told.
	Retries func(tell func(Retried))
	// AtGmail looks up what Gmail has for a user.
	AtGmail func(ctx context.Context, email string) (AtGmail, error)
	// Cards lists the certificates on cards that the ledger has of a person; nil for no ledger.
	Cards func(ctx context.Context, email string) ([]ledger.CardCertificate, error)
	// Registered looks up a person in the ledger that desks share; nil for no
	// ledger. It returns nil for somebody who is not registered.
	Registered func(ctx context.Context, email string) (*Registered, error)
	// Watch yields what is in the readers, as piv.Watch does.
	Watch func(ctx context.Context) iter.Seq2[[]piv.Found, error]
	// Status reads what is on a card.
	Status func(ctx context.Context, serial uint32) (CardStatus, error)
	// Task carries out a task: it asks what the task needs, tells what is done, and returns what
	// that came to, a sentence each.
	Task func(ctx context.Context, task Task, prompter enroll.Prompter, tell func(note string)) ([]string, error)
	// Replace is Enroll with a card that takes the place of those that the user has, whose use ends for
	// the reason in the request. It returns what ended as well, a sentence each.
	Replace func(ctx context.Context, request enroll.Request, front FrontEnd) (*enroll.Receipt, []string, error)
	// Copies asks for copies of the old keys of a person who gets another card, and returns them;
	// none where there are none.
	Copies func(ctx context.Context, email string, prompter Prompter, tell func(note string)) ([]enroll.KeyCopy, error)
	// Hint says what to do about an error, or "".
	Hint func(error) string
	// Own says that who is enrolled sits at the desk alone, and hands nothing to anybody.
	Own bool
	// Practice is the lab's side of the desk; nil with real cards.
	Practice Practice
	// Bell has the terminal ring when the card waits for a touch, and when a certificate
	// that was waited for has come.
	Bell bool
}

// AtGmail is what Gmail has for a user.
type AtGmail struct {
	KeyPairs []gmail.KeyPair
	Identity *gmail.Identity // nil for none
}

// Practice lets a trainee do to the virtual cards what hands do to real ones.
type Practice interface {
	// Acts lists what can be done now.
	Acts() []Act
	// Do carries one out.
	Do(ctx context.Context, id string) error
}

// Act is one thing that can be done in the practice lab.
type Act struct{ ID, Title string }

// PINKept is how long a front end remembers the PIN that was typed, so that it need not
// be typed again at once; see RemembersPIN.
const PINKept = 5 * time.Minute

// Prompter asks a person at a desk.
type Prompter interface {
	enroll.Prompter
	// Input returns what the person types, which shows; it may be empty.
	Input(ctx context.Context, question enroll.Question) (string, error)
}

// FrontEnd is a person's side of an enrollment.
type FrontEnd struct {
	Prompter Prompter
	Notify   func(enroll.Event)
	// Review is nil for no review.
	Review func(context.Context, enroll.Review) error
	// Agreed is the review that a person agreed to a moment ago: it is not asked for
	// again. It is nil for none.
	Agreed *enroll.Review
}

// Enroll runs one enrollment with that front end. Errors are those of
// enroll.Run.
func (d *Desk) Enroll(ctx context.Context, request enroll.Request, front FrontEnd) (*enroll.Receipt, error) {
	deps := d.Dependencies
	deps.Prompter, deps.Notify, deps.Review = front.Prompter, front.Notify, front.Review
	if front.Agreed != nil && front.Review != nil {
		deps.Review = func(ctx context.Context, review enroll.Review) error {
			if review.Same(*front.Agreed) {
				return nil
			}
			return front.Review(ctx, review)
		}
	}
	request.Review = front.Review != nil
	return enroll.Run(ctx, deps, request)
}

// Preview tells what an enrollment would come to with a person at the desk, once
// they agreed to what would be lost. A card that cannot be read is an error.
func (d *Desk) Preview(ctx context.Context, request enroll.Request) (*enroll.Preview, error) {
	deps := d.Dependencies
	deps.Prompter = nil // a person will be there
	request.Overwrite, request.Confirm, request.Agreed = true, strconv.FormatUint(uint64(request.Serial), 10), nil
	request.Review, request.ReplaceCard, request.AllowUnattested = true, true, true
	preview, err := enroll.NewPreview(ctx, deps, request)
	if err != nil {
		return nil, err
	}
	for i := range preview.Steps {
		preview.Steps[i].Asks = nil // they will be asked
	}
	return preview, preview.Unreadable()
}
