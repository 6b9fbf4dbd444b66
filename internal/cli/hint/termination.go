package hint

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// ofTermination is about the end of a card's use.
func (h hints) ofTermination(err error) string {
	if which, found := errors.AsType[*termination.WhichCardError](err); found && len(which.Cards) == 0 {
		return "check the address; what Gmail and the ledger have of the user: cse-piv status " + which.Email
	}
	if former, found := errors.AsType[*termination.NotMovedError](err); found && former.InReader && !h.desk {
		return "put the new card in, and " + h.again + "; to renew what is on this one: cse-piv renew " + former.Email
	}
	switch {
	case failure.Is[*termination.WhichCardError](err):
		return "name it with --serial SERIAL; what Gmail has: cse-piv status EMAIL"
	case failure.Is[*termination.UnknownCardError](err):
		return "look which cards the user has, with cse-piv status EMAIL"
	case failure.Is[*termination.NotMovedError](err):
		return h.either("to enroll the new card, "+h.again, "go back to the card, and put the new one in")
	case failure.Is[*termination.KeyInUseError](err):
		return h.either("leave out --clear-card", h.again+", and answer no") + ": the card keeps the key"
	case failure.Is[*termination.SameCardError](err):
		return "name a key pair of another card: cse-piv keypair list EMAIL"
	case failure.Is[*enroll.NoEvidenceError](err):
		return h.either("name the folder that enroll had with ", atStart+"the folder that enroll had in ") + "--evidence FOLDER"
	case failure.Is[*enroll.UnknownBeforeError](err):
		return h.either("say it with", "on the command line say it: cse-piv undo EMAIL with") + " --keypair ID, or --no-identity where there was none; what Gmail has: cse-piv keypair list EMAIL"
	}
	return ""
}

// ForUndoneCard says how the card of an enrollment that was undone loses what was enrolled.
func ForUndoneCard(plan termination.Plan) string {
	return fmt.Sprintf("to take that key and certificate off the card as well, put it into the reader: cse-piv undo %s --clear-card %d", plan.Email, plan.Serial)
}

// ForMissingCopies says how the copies of old keys come onto a card that an earlier run was to put there.
func ForMissingCopies(serial uint32, missing int) string {
	return fmt.Sprintf("copies of old keys that card %d was to get and has not: %d; put them onto it, for old mail: cse-piv card import --p12 FILE --slot 82", serial, missing)
}

// ForOldMail says how a new card reads old mail where a copy of a former card's key was kept;
// "" where the user has the former card to read with.
func ForOldMail(plan termination.Plan) string {
	switch plan.Reason {
	case termination.ReasonLost, termination.ReasonStolen, termination.ReasonBroken:
	default:
		return ""
	}
	text := "where the old encryption key was kept as PKCS#12, put it onto the new card: cse-piv card import --p12 FILE --slot 82"
	for _, pair := range plan.Ended {
		if plan.Rule.Disable {
			text += "; then enable its key pair: cse-piv keypair enable " + plan.Email + " " + pair.ID
		}
	}
	return text
}
