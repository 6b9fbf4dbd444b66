package desk

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Event is what a Conversation is told with Take: what was found out, one of the
// types below, or what a person chose, typed, or put into a reader.
type Event any

// What was found out. A Number says which question is answered.
type (
	// ProfileUsed tells the request that everybody is enrolled with by the profile that was
	// chosen, or why it cannot be followed; it answers UseProfile.
	ProfileUsed struct {
		Request enroll.Request
		Err     error
	}
	// Checked tells what MakeChecks found.
	Checked struct{ Checks []Check }
	// CheckFinished tells what FinishCheck found.
	CheckFinished struct {
		Number, Index int
		Check         Check
	}
	// Retried tells that Gmail is to be asked again, why, and when.
	Retried struct {
		Err error
		At  time.Time
	}
	// QueueRead tells how far everybody is; it answers ReadQueue.
	QueueRead struct {
		Number  int
		Entries []QueueEntry
	}
	// EntryRead tells how far one person is; it answers ReadEntry.
	EntryRead struct {
		Number int
		Entry  QueueEntry
	}
	// GmailRead tells what Gmail has for a user, or why that is not known; it answers
	// ReadGmail.
	GmailRead struct {
		Email   string
		AtGmail AtGmail
		Err     error
	}
	// ReadersRead tells what is in the card readers, or why they cannot be used.
	ReadersRead struct {
		Found []piv.Found
		Err   error
	}
	// WatchEnded says that the readers are not watched any more.
	WatchEnded struct{}
	// CardRead tells what is on a card, or why it cannot be read; it answers ReadCard.
	CardRead struct {
		Number int
		Status CardStatus
		Err    error
	}
	// PlanRead tells what an enrollment would come to, or why that is not known; it
	// answers ReadPlan.
	PlanRead struct {
		Number  int
		Preview *enroll.Preview
		Err     error
	}
	// CertificatesDue says that it is time to ask for certificates again.
	CertificatesDue struct{}
	// StepHappened tells of a step of the enrollment that Begin began.
	StepHappened struct {
		Run   int
		Event enroll.Event
	}
	// ReviewAgreed tells what a person agreed to in that enrollment.
	ReviewAgreed struct {
		Run    int
		Review enroll.Review
	}
	// RunEnded tells what that enrollment came to; Receipt is nil where Err is not.
	RunEnded struct {
		Run int
		Carried
		Err     error
		Entry   QueueEntry // that the person has now
		Stopped bool       // by a person
	}
)

// What a person does.
type (
	// ProfileChosen names the enrollment profile that is followed.
	ProfileChosen struct{ Name string }
	// Picked names the person who is to be served.
	Picked struct{ Person Person }
	// CardChosen is one of several cards; 0 takes the choice back.
	CardChosen struct{ Serial uint32 }
	// KeyChosen answers one of the plan's questions with one of its choices.
	KeyChosen struct {
		Option enroll.Option
		ID     string
	}
	// MenuChosen is one of the menu's choices, by its index.
	MenuChosen struct{ At int }
	// SerialTyped is the card's serial number as far as it is typed, which agrees to
	// what the plan would destroy.
	SerialTyped struct{ Text string }
	// Action is what a person chose to do next.
	Action string
)

// The actions. What each does depends on the phase; where it has no meaning it does
// nothing.
const (
	GoOn       Action = "go on" // begin, agree, look for the certificate
	Again      Action = "again"
	Back       Action = "back" // from a failure: to the plan
	TakeAnyway Action = "take" // the card that may be the wrong one
	More       Action = "more" // what else can be done: opens the menu
	Park       Action = "park" // leave this person, or whoever is next, for later
	Stop       Action = "stop"
)

// Effect is what a front end is to do for a Conversation. It carries out Begin and
// WatchReaders itself, and the others with Desk.Do.
type Effect any

// The effects.
type (
	// UseProfile has the desk follow an enrollment profile. Nothing else is done meanwhile.
	UseProfile struct{ Name string }
	// MakeChecks looks whether everything is there that an enrollment needs.
	MakeChecks struct{}
	// FinishCheck finds out the rest of a check. The others are not to wait for it.
	FinishCheck struct {
		Number, Index int
		Check         Check
	}
	// ReadQueue looks how far everybody on the roster is.
	ReadQueue struct{ Number int }
	// ReadEntry looks how far a person is, and asks for the certificate that the person waits for.
	ReadEntry struct {
		Number int
		Person Person
	}
	// ReadGmail asks Gmail what it has for a user.
	ReadGmail struct{ Email string }
	// ReadCard reads what is on a card.
	ReadCard struct {
		Number int
		Serial uint32
	}
	// ReadPlan looks what an enrollment would come to. The answer to an earlier one is
	// not needed any more.
	ReadPlan struct {
		Number  int
		Request enroll.Request
	}
	// Begin starts an enrollment or a task, see Desk.Carry and Desk.After.
	Begin struct {
		Run     int
		Person  Person
		Request enroll.Request
		// Agreed is what the person agreed to in the run before, which Gmail alone kept
		// from its end; nil for nothing.
		Agreed *enroll.Review
		Task   *Task // that is begun, and no enrollment; nil for an enrollment
	}
	// WatchReaders tells of the readers with ReadersRead until WatchEnded.
	WatchReaders struct{}
)

// Do carries out an effect and returns what to tell the conversation; nil for the
// effects that belong to the front end, and where ctx ended.
func (d *Desk) Do(ctx context.Context, effect Effect) Event {
	switch effect := effect.(type) {
	case UseProfile:
		err := d.UseProfile(ctx, effect.Name)
		return ProfileUsed{d.Request, err}
	case MakeChecks:
		return Checked{d.Checks(ctx)}
	case FinishCheck:
		return CheckFinished{effect.Number, effect.Index, effect.Check.Finish(ctx)}
	case ReadQueue:
		if entries, err := d.Queue(ctx); err == nil {
			return QueueRead{effect.Number, entries}
		}
	case ReadEntry:
		return EntryRead{effect.Number, d.Collect(ctx, effect.Person)}
	case ReadGmail:
		found, err := d.AtGmail(ctx, effect.Email)
		return GmailRead{effect.Email, found, err}
	case ReadCard:
		status, err := d.Status(ctx, effect.Serial)
		return CardRead{effect.Number, status, err}
	case ReadPlan:
		preview, err := d.Preview(ctx, effect.Request)
		return PlanRead{effect.Number, preview, err}
	}
	return nil
}
