package describe

import (
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// Command says what is done at a desk by a command, and in its text what that loses.
func Command(command status.Command) Value {
	switch command {
	case status.CommandUnblock:
		return Value{Label: "a new PIN for who forgot it", Text: "with the card's PUK; nothing is lost"}
	case status.CommandChangePIN:
		return Value{Label: "another PIN for who knows the present one", Text: "nothing is lost"}
	case status.CommandReplace:
		return Value{Label: "another card in the place of the present one", Text: "what can no longer be read is said first"}
	case status.CommandLost:
		return Value{Label: "the card is lost, stolen or broken", Text: "its use ends; what can no longer be read is said first"}
	case status.CommandLeave:
		return Value{Label: "the user leaves", Text: "the use of all cards ends; what can no longer be read is said first"}
	case status.CommandUndo:
		return Value{Label: "the wrong person was enrolled: undo that", Text: "Gmail has what it had before; what stops is said first"}
	case status.CommandHistory:
		return Value{Label: "register the old keys on the card, for old mail", Text: "nothing is lost"}
	}
	return Value{Label: string(command)}
}

// MenuChoice says what a choice of a desk's menu does, and in its text what it loses: a command
// or, where those are given, the kind of renewal or the reason for which a card's use ends.
func MenuChoice(command status.Command, renewal enroll.Renewal, reason termination.Reason) Value {
	switch {
	case renewal == enroll.RenewSameKey:
		return Value{Label: "renew: a new certificate for the same key", Text: "nothing is lost"}
	case renewal != "":
		return Value{Label: "renew: a new key and certificate", Text: "the old key stays for old mail, or the plan says that it cannot"}
	case reason != "":
		return Reason(reason)
	}
	return Command(command)
}

// GivesUp says what giving up a replacement that was begun does, and in its text what it loses.
func GivesUp() Value {
	return Value{Label: "the former card was found: keep it, and not the new one", Text: "Gmail has what it had before; the new card keeps its key, and what stops is said first"}
}

// Reason says for which reason a card's use ends, and in its text what follows.
func Reason(reason termination.Reason) Value {
	labels := map[termination.Reason]string{
		termination.ReasonLost: "lost: nobody knows where the card is", termination.ReasonStolen: "stolen: somebody else has the card",
		termination.ReasonBroken: "broken: the card no longer works", termination.ReasonNameChange: "the user's address has changed",
		termination.ReasonOther: "another reason: the user still has the card",
	}
	rule, _ := termination.RuleOf(reason)
	text := "its key pairs stay enabled: "
	if rule.Disable {
		text = "its key pairs are disabled: "
	}
	return Value{Label: labels[reason], Text: text + rule.Why}
}
