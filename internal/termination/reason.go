// Package termination ends the use of a card: it was lost, its user leaves, another card
// takes its place, or it was enrolled for the wrong person. It says beforehand what is
// changed at Gmail, at the CA and in the ledger, carries that out in steps that can be run
// again, and obliterates nothing.
//
// FIPS 201-3 section 2.9.4 has the word, and what is to be done: the certificates are
// revoked where the card cannot be collected or its key may be used by somebody else.
package termination

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// Reason is why the use of a card ends. The values are a contract.
type Reason string

// The reasons.
const (
	ReasonLost        Reason = "lost"         // nobody knows where the card is
	ReasonStolen      Reason = "stolen"       // somebody else has the card
	ReasonBroken      Reason = "broken"       // the card no longer works
	ReasonNameChange  Reason = "name-change"  // the user's address changed
	ReasonOther       Reason = "other"        // another card takes its place
	ReasonLeft        Reason = "left"         // the user left the organization
	ReasonWrongPerson Reason = "wrong-person" // the card was enrolled for somebody else than its user
)

// Rule is what follows from a reason.
type Rule struct {
	Reason Reason
	// Disable tells whether the card's key pairs at Gmail are disabled; else they are left
	// as they are, so that old mail stays readable with the card.
	Disable bool
	// Revocation is the reason code (RFC 5280 section 5.3.1) with which the card's
	// certificates are revoked; 0 where they are not.
	Revocation int
	// Card is what the ledger says of the certificates on the card from then on.
	Card ledger.CardState
	// Why says in a sentence why that follows.
	Why string
}

// Rules returns what follows from each reason.
func Rules() []Rule {
	return []Rule{
		{ReasonLost, true, 1, ledger.CardLost, "nobody knows who has the card; once it is found, its key pairs can be enabled again"},
		{ReasonStolen, true, 1, ledger.CardStolen, "somebody else has the card and may learn its PIN"},
		{ReasonBroken, false, 0, ledger.CardBroken, "nobody can use its keys any more, and a copy of an encryption key may still be imported into another card"},
		{ReasonNameChange, false, 3, ledger.CardSuperseded, "its certificates name an address that is no longer the user's"},
		{ReasonOther, false, 0, ledger.CardSuperseded, "the user still has the card, and reads old mail with it"},
		{ReasonLeft, true, 3, ledger.CardWithdrawn, "the user no longer acts for the organization"},
		{ReasonWrongPerson, true, 5, ledger.CardUndone, "its certificates name somebody who does not have the card"},
	}
}

// LossReasons returns the reasons for which a card can no longer be used.
func LossReasons() []Reason { return []Reason{ReasonLost, ReasonStolen, ReasonBroken} }

// ReplaceReasons returns the reasons for which another card takes the place of one.
func ReplaceReasons() []Reason { return append(LossReasons(), ReasonNameChange, ReasonOther) }

// RuleOf returns what follows from a reason, and false for what is none.
func RuleOf(reason Reason) (Rule, bool) {
	rules := Rules()
	at := slices.IndexFunc(rules, func(rule Rule) bool { return rule.Reason == reason })
	if at < 0 {
		return Rule{}, false
	}
	return rules[at], true
}
