package tui

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// What commands report, besides the events of package desk.
type (
	// beatMsg makes spinners turn and clocks run while something is going on.
	beatMsg time.Time
	// otpTypedMsg says that a touched YubiKey typed into the window.
	otpTypedMsg struct{}
	actsMsg     struct{ acts []desk.Act }
	actedMsg    struct{ err error }
	// brokenMsg is a panic in a command.
	brokenMsg struct {
		what  any
		stack []byte
	}
	// showMsg goes back to the screen of the work when a question is answered.
	showMsg struct{ screen screenID }
	// forgetMsg says that the PIN that was typed for that run was kept long enough.
	forgetMsg struct{ run int }
)

// What a running enrollment asks; run tells old ones from new.
type (
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
	inputAsked struct {
		run      int
		question enroll.Question
		reply    chan<- answer[string]
	}
	reviewAsked struct {
		run    int
		review enroll.Review
		reply  chan<- answer[bool]
	}
)
