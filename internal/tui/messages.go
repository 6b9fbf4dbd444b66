package tui

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// What commands report.
type (
	checkedMsg struct{ checks []desk.Check }
	queueMsg   struct {
		request int // which question it answers
		entries []desk.QueueEntry
	}
	collectedMsg struct {
		request int // which question it answers
		entry   desk.QueueEntry
	}
	atGmailMsg struct {
		email   string
		atGmail desk.AtGmail
		err     error
	}
	// foundMsg is what is in the readers now.
	foundMsg struct {
		found []piv.Found
		err   error
	}
	// unwatchedMsg says that the readers are not watched any more.
	unwatchedMsg struct{}
	statusMsg    struct {
		request int // which question it answers
		status  desk.CardStatus
		err     error
	}
	previewMsg struct {
		request int // which question it answers
		preview *enroll.Preview
		err     error
	}
	// beatMsg makes spinners turn and clocks run while something is going on.
	beatMsg time.Time
	// collectMsg says that it is time to ask for certificates again.
	collectMsg struct{}
	// otpTypedMsg says that a touched YubiKey typed into the window.
	otpTypedMsg struct{}
	actsMsg     struct{ acts []desk.Act }
	actedMsg    struct{ err error }
	// brokenMsg is a panic in a command.
	brokenMsg struct {
		what  any
		stack []byte
	}
	// forgetMsg says that the PIN that was typed for that run was kept long enough.
	forgetMsg struct{ run int }
)

// What a running enrollment reports and asks; run tells old ones from new.
type (
	eventMsg struct {
		run   int
		event enroll.Event
	}
	finishedMsg struct {
		run     int
		receipt *enroll.Receipt
		err     error
		entry   desk.QueueEntry // that the person has now
	}
	secretAsked struct {
		run      int
		question enroll.SecretQuestion
		reply    chan<- answer[secret.Secret]
	}
	choiceAsked struct {
		run      int
		question enroll.Question
		choices  []enroll.Choice
		reply    chan<- answer[string]
	}
	agreementAsked struct {
		run      int
		question enroll.Question
		want     string // to be typed; empty for yes or no
		reply    chan<- answer[bool]
	}
	reviewAsked struct {
		run    int
		review enroll.Review
		reply  chan<- answer[bool]
	}
)

// What screens ask of the root model, see session.tell.
type (
	// showMsg changes the screen.
	showMsg struct{ screen screenID }
	// pickedMsg is the person to be enrolled.
	pickedMsg struct{ person desk.Person }
	// beginMsg starts the enrollment of the request.
	beginMsg struct{ request enroll.Request }
	// nextPersonMsg begins with somebody else, and leaves this person for later
	// where they are not done.
	nextPersonMsg struct{}
)
