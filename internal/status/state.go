// Package status says how cards and users stand: from what a card tells, what the ledger
// knows and what Gmail has. It finds what is not as it should be, and which command puts it
// right; it changes nothing.
package status

// State is the state of a card in the life of its user's key.
type State string

// The states of a card.
const (
	StateEmpty        State = "empty"
	StateUnknown      State = "unknown"
	StatePersonalised State = "personalised"
	StateWaiting      State = "waiting"
	StateReplacing    State = "replacing"
	StateRegistered   State = "registered"
	StateRenewing     State = "renewing"
	StateSuperseded   State = "superseded"
	StateBlocked      State = "blocked"
	StateForeign      State = "foreign"
)

// Meaning is a state and what it means. The JSON names are a contract.
type Meaning struct {
	State State  `json:"state"`
	Text  string `json:"meaning"`
}

// States lists all states, in the order in which a card has them.
func States() []Meaning {
	return []Meaning{
		{StateEmpty, "no key and no certificate, and nobody set its PIN"},
		{StateUnknown, "no certificate and no key that it shows; firmware before 5.3 tells neither of imported keys nor whether the PIN is the factory one"},
		{StatePersonalised, "a PIN of its own, and no key or certificate yet"},
		{StateWaiting, "an enrollment was begun: its certificate has not come yet, or Gmail does not have it yet"},
		{StateReplacing, "a replacement was begun: the card takes the place of another, whose use has not ended"},
		{StateRegistered, "its certificate is the one that Gmail uses for its user"},
		{StateRenewing, "a renewal was begun: Gmail uses the old certificate until it is finished"},
		{StateSuperseded, "its certificate is known, and Gmail uses another one, or none, for its user"},
		{StateBlocked, "its PIN is blocked: too many wrong ones were tried"},
		{StateForeign, "keys or certificates that neither Gmail nor the ledger knows"},
	}
}

// Command is something that can be done about a card or a user, by a name that stays the
// same. What is typed for it, the command line knows.
type Command string

// The commands.
const (
	CommandEnroll         Command = "enroll"
	CommandEnrollExisting Command = "enroll-existing" // with the key that is on the card
	CommandEnrollOver     Command = "enroll-over"     // with a new key in the place of what is there
	CommandBatch          Command = "batch"
	CommandInit           Command = "card-init"
	CommandReset          Command = "card-reset"
	CommandChangePIN      Command = "pin-change"
	CommandUnblock        Command = "pin-unblock"
	CommandRenew          Command = "renew"
	CommandRenewSame      Command = "renew-same-key" // goes on with one that was begun with the same key
	CommandReplace        Command = "replace"
	CommandReplaceBegun   Command = "replace-begun" // goes on with one, for the reason with which it was begun
	CommandLost           Command = "lost"
	CommandLeave          Command = "leave"
	CommandUndo           Command = "undo"
	CommandHistory        Command = "keypair-history"
	CommandSetIdentity    Command = "identity-set"
	CommandEnableKeyPair  Command = "keypair-enable"
	CommandDisableKeyPair Command = "keypair-disable"
	CommandShowKeyPair    Command = "keypair-show"
	CommandShowCard       Command = "status-card"
)

// Commands lists all commands.
func Commands() []Command {
	return []Command{CommandEnroll, CommandEnrollExisting, CommandEnrollOver, CommandBatch, CommandInit, CommandReset, CommandChangePIN, CommandUnblock,
		CommandRenew, CommandRenewSame, CommandReplace, CommandReplaceBegun, CommandLost, CommandLeave, CommandUndo, CommandHistory, CommandSetIdentity, CommandEnableKeyPair, CommandDisableKeyPair, CommandShowKeyPair, CommandShowCard}
}

// Transition is something that may be done with a card in a state, and the state that it
// has afterwards. The JSON names are a contract.
type Transition struct {
	From    State   `json:"from"`
	Command Command `json:"command"`
	To      State   `json:"to"`
	// When says when it is the right thing, or what it costs.
	When string `json:"when"`
}

// Transitions lists what may be done with a card in each state, the likeliest first.
func Transitions() []Transition {
	return []Transition{
		{StateEmpty, CommandEnroll, StateRegistered, "the card is for this user; it is waiting where the certificate takes its time"},
		{StateEmpty, CommandInit, StatePersonalised, "the card is prepared before its user is there"},
		{StateUnknown, CommandEnroll, StateRegistered, "the card is for this user; whether it is new is asked, or has to be said beforehand"},
		{StateUnknown, CommandInit, StateUnknown, "the card is new, and prepared before its user is there"},
		{StateUnknown, CommandChangePIN, StateUnknown, "its user wants another PIN"},
		{StateUnknown, CommandUnblock, StateUnknown, "its user forgot the PIN: with the PUK"},
		{StateUnknown, CommandReset, StateUnknown, "nobody knows its PIN and PUK; keys that it does not show are lost"},
		{StatePersonalised, CommandEnroll, StateRegistered, "the card is for this user; it is waiting where the certificate takes its time"},
		{StatePersonalised, CommandChangePIN, StatePersonalised, "its user wants another PIN"},
		{StatePersonalised, CommandUnblock, StatePersonalised, "its user forgot the PIN: with the PUK"},
		{StatePersonalised, CommandReset, StateEmpty, "nobody knows its PIN and PUK"},
		{StateWaiting, CommandEnroll, StateRegistered, "the same command again goes on when the certificate is there"},
		{StateWaiting, CommandChangePIN, StateWaiting, "its user wants another PIN"},
		{StateWaiting, CommandUnblock, StateWaiting, "its user forgot the PIN: with the PUK"},
		{StateWaiting, CommandReset, StateEmpty, "the enrollment was a mistake; the key on the card is lost"},
		{StateReplacing, CommandReplace, StateRegistered, "the same command again goes on, when the certificate is there"},
		{StateReplacing, CommandChangePIN, StateReplacing, "its user wants another PIN"},
		{StateReplacing, CommandUnblock, StateReplacing, "its user forgot the PIN: with the PUK"},
		{StateReplacing, CommandUndo, StateWaiting, "the user keeps the other card: the replacement is given up, and this card keeps its key"},
		{StateReplacing, CommandReset, StateEmpty, "the user keeps the other card; the key on this one is lost"},
		{StateRegistered, CommandChangePIN, StateRegistered, "where its user wants another PIN"},
		{StateRegistered, CommandUnblock, StateRegistered, "where its user forgot the PIN: with the PUK"},
		{StateRegistered, CommandRenew, StateRegistered, "where the certificate ends soon; the old key stays for reading"},
		{StateRegistered, CommandReplace, StateSuperseded, "where the user gets another card"},
		{StateRegistered, CommandLost, StateSuperseded, "where nobody knows where the card is"},
		{StateRegistered, CommandLeave, StateSuperseded, "where the user leaves"},
		{StateRegistered, CommandUndo, StateSuperseded, "where it was enrolled for the wrong person"},
		{StateRegistered, CommandHistory, StateRegistered, "where mail is to be read with the keys in its retired slots"},
		{StateRenewing, CommandRenew, StateRegistered, "the same command again goes on, when the certificate is there; the old key stays for reading"},
		{StateRenewing, CommandChangePIN, StateRenewing, "where its user wants another PIN"},
		{StateRenewing, CommandUnblock, StateRenewing, "where its user forgot the PIN: with the PUK"},
		{StateRenewing, CommandReplace, StateSuperseded, "where the user gets another card"},
		{StateRenewing, CommandLost, StateSuperseded, "where nobody knows where the card is"},
		{StateRenewing, CommandLeave, StateSuperseded, "where the user leaves"},
		{StateSuperseded, CommandEnrollExisting, StateRegistered, "the user goes back to this card"},
		{StateSuperseded, CommandEnroll, StateRegistered, "the user goes back to this card, which has old keys in retired slots alone: with a new one"},
		{StateSuperseded, CommandUnblock, StateSuperseded, "its user reads old mail with it, and forgot the PIN: with the PUK"},
		{StateSuperseded, CommandReset, StateEmpty, "for another user; mail to its keys can then be read with no card"},
		{StateBlocked, CommandUnblock, StateRegistered, "with the PUK: the card is again what it was before"},
		{StateBlocked, CommandReset, StateEmpty, "the PUK is blocked, too, or nobody knows it; the keys on the card are lost"},
		{StateForeign, CommandEnrollExisting, StateRegistered, "the key on the card is the user's, from another issuer"},
		{StateForeign, CommandEnroll, StateRegistered, "the card is for this user: with a new key in slot 9d, which is empty; the others stay"},
		{StateForeign, CommandEnrollOver, StateRegistered, "the key in the slot is not needed any more; it is lost"},
		{StateForeign, CommandReset, StateEmpty, "nothing on the card is needed any more; all keys on it are lost"},
	}
}

// Next lists what may be done with a card in a state.
func (s State) Next() []Transition {
	next := []Transition{}
	for _, transition := range Transitions() {
		if transition.From == s {
			next = append(next, transition)
		}
	}
	return next
}
