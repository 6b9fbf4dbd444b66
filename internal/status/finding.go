package status

import (
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// Problem is something about a user that is not as it should be, or that somebody should
// know, by a name that stays the same.
type Problem string

// The problems, the most urgent first.
const (
	ProblemDisabled         Problem = "disabled"          // the identity uses a disabled key pair
	ProblemEnded            Problem = "ended"             // the certificate that Gmail uses has ended
	ProblemNoAccount        Problem = "no-account"        // the directory has nobody of that address
	ProblemSuspended        Problem = "suspended"         // the directory has the account as suspended or archived
	ProblemAlias            Problem = "alias"             // the directory has the address as another one of a user
	ProblemNoMailbox        Problem = "no-mailbox"        // the directory says that the user has no mailbox
	ProblemCardGone         Problem = "card-gone"         // Gmail uses a certificate on a card that is gone
	ProblemRenewalBegun     Problem = "renewal-begun"     // a renewal was begun, and is not finished
	ProblemReplacementBegun Problem = "replacement-begun" // a replacement was begun, and is not finished
	ProblemNoIdentity       Problem = "no-identity"       // there are key pairs, and no identity uses one
	ProblemNotAtGmail       Problem = "not-at-gmail"      // the ledger calls the user done, and Gmail has nothing
	ProblemNotRegistered    Problem = "not-registered"    // neither Gmail nor the ledger has the user as registered
	ProblemEndsSoon         Problem = "ends-soon"         // the certificate that Gmail uses ends soon
	ProblemCardNotUsed      Problem = "card-not-used"     // Gmail does not use the certificate on the inserted card
	ProblemNotInSource      Problem = "not-in-source"     // somebody is registered whom the source has not
	ProblemNoEntry          Problem = "no-ledger-entry"   // there is an identity, and nothing in the ledger
	ProblemOtherCertificate Problem = "other-certificate" // Gmail uses another certificate than the ledger has
	ProblemSuperfluous      Problem = "superfluous"       // a second key pair for the same certificate
	ProblemKeyService       Problem = "key-service"       // an enabled key pair in a key service beside one of a card
	ProblemInNoIdentity     Problem = "in-no-identity"    // an enabled key pair that is in no identity, and not in the ledger
)

// Finding is one problem of a user. The JSON names are a contract.
type Finding struct {
	Problem   Problem `json:"problem"`
	Text      string  `json:"text"`
	KeyPairID string  `json:"key_pair_id,omitempty"` // that it is about
	Primary   string  `json:"primary,omitempty"`     // of an alias: the address that the command is for
	Command   Command `json:"command"`               // that puts it right, or shows more
}

// Findings lists what is not as it should be with a user, the most urgent first. A
// certificate ends soon where it does within the given time from now.
func (u User) Findings(now time.Time, within time.Duration) []Finding {
	f := &finder{User: u, now: now, within: within, findings: []Finding{}}
	if u.Refused != nil {
		f.refused()
		return f.findings
	}
	f.used()
	f.begun()
	f.missing()
	f.end()
	f.inserted()
	if u.Source == NotInSource && u.registered() {
		f.add(ProblemNotInSource, "", CommandLeave, "the source does not have this user any more, and Gmail has an identity")
	}
	f.unknown()
	f.others()
	return f.findings
}

// registered reports whether the user has an identity or, where Gmail did not answer, is
// done for the ledger.
func (u User) registered() bool {
	if u.Gmail == nil {
		return u.done()
	}
	return u.Gmail.Identity != nil
}

type finder struct {
	User
	now      time.Time
	within   time.Duration
	findings []Finding
}

func (f *finder) add(problem Problem, keyPairID string, command Command, format string, args ...any) {
	f.findings = append(f.findings, Finding{Problem: problem, Text: fmt.Sprintf(format, args...), KeyPairID: keyPairID, Command: command})
}

// used looks at what the identity uses.
func (f *finder) used() {
	for _, pair := range f.Used() {
		if !pair.Enabled {
			f.add(ProblemDisabled, pair.ID, CommandEnableKeyPair, "the identity uses key pair %s, which is disabled, so that it neither signs nor reads", pair.ID)
		}
		if !pair.NotAfter.IsZero() && pair.NotAfter.Before(f.now) {
			f.add(ProblemEnded, pair.ID, f.again(CommandRenew), "the certificate of key pair %s ended on %s", pair.ID, format.Day(pair.NotAfter))
		}
		if card := f.Card(pair.LeafSHA256); card != nil && isGone(card.State) {
			f.add(ProblemCardGone, pair.ID, f.again(CommandReplace), "Gmail uses a certificate on card %d, which is %s since %s", card.Serial, card.State, format.Day(card.Changed))
		}
	}
}

// begun looks for a renewal or replacement that is not finished.
func (f *finder) begun() {
	problem, what, command := ProblemRenewalBegun, "renewal", f.again(CommandRenew)
	switch {
	case f.Renews():
	case f.Replaces():
		problem, what, command = ProblemReplacementBegun, "replacement", f.again(CommandReplace)
	default:
		return
	}
	from := "elsewhere"
	serial := uint32(0)
	if f.Inserted != nil {
		serial = f.Inserted.Identity.Serial
	}
	if f.Begun.unfinished() {
		from, serial = "on "+format.Day(f.Begun.Since), f.Begun.Serial
	}
	stands := ""
	switch moved := f.Begun.unfinished() && !slices.ContainsFunc(f.uses(), func(u use) bool { return f.Begun.old(u.leafSHA256) || f.Begun.from(u.serial) }); {
	case f.Begun.unfinished() && f.Begun.Registered:
		stands = ": the use of the former card has not ended"
	case f.Gmail == nil:
	case moved:
		stands = ": Gmail uses the new certificate, and the ledger does not say so yet"
	default:
		stands = ": until it is, Gmail uses the old certificate"
	}
	f.add(problem, "", command, "the %s with card %d that was begun %s is not finished%s", what, serial, from, stands)
}

// isBegun reports whether a key pair may be one that a renewal or replacement is about to use.
func (f *finder) isBegun(pair gmail.KeyPair) bool {
	serial := registered.SerialOf(pair)
	return (f.Renews() || f.Replaces()) && (f.Begun.unfinished() && f.Begun.Serial == serial || f.Inserted != nil && f.Inserted.Identity.Serial == serial)
}

// unfinished says of an enrollment that it was begun; empty for none.
func (f *finder) unfinished() string {
	if !f.Begun.unfinished() || f.Begun.Renewal != nil {
		return ""
	}
	return fmt.Sprintf("; the enrollment with card %d that was begun on %s is not finished", f.Begun.Serial, format.Day(f.Begun.Since))
}

// again is a command or, where what it does was begun, the one that goes on with it.
func (f *finder) again(command Command) Command {
	if f.Begun.unfinished() {
		return f.Begun.again(command)
	}
	return command
}

// isGone reports whether nobody can use the certificate with its card.
func isGone(state ledger.CardState) bool {
	return state != ledger.CardInUse && state != ledger.CardSuperseded
}

// missing looks for what Gmail should have, and has not.
func (f *finder) missing() {
	waits := f.Entry != nil && f.Entry.State != ledger.StateDone
	again := CommandEnroll
	if f.Entry != nil && f.Entry.Run != 0 {
		again = CommandBatch
	}
	switch {
	case f.registered() || f.left() && f.Source != InSource && !waits:
	case waits:
		f.add(ProblemNotRegistered, "", again, "the ledger has the user as %s%s", f.Entry.State, f.byHand())
	case f.waitsForCard():
		last := f.last()
		f.add(ProblemCardGone, "", f.again(CommandReplace), "card %d is %s since %s, and no other one has taken its place%s", last.Serial, last.State, format.Day(last.Changed), f.unfinished())
	case f.ByHand != nil && f.ByHand.Verb == verbLost:
		f.add(ProblemCardGone, "", f.again(CommandReplace), "the use of the card ended on %s (%s), and no other one has taken its place%s", format.Day(f.ByHand.Started), f.ByHand.Verb, f.unfinished())
	case f.Gmail == nil:
		if f.Entry == nil {
			f.add(ProblemNotRegistered, "", CommandEnroll, "the ledger does not have the user%s", f.unfinished())
		}
	case f.choice() != "":
		f.add(ProblemNoIdentity, f.choice(), CommandSetIdentity, "Gmail has key pairs and no identity, so that nothing is signed, and nobody can encrypt to the user")
	case f.Entry != nil:
		f.add(ProblemNotAtGmail, "", again, "the ledger has the user as registered, and Gmail has no enabled key pair of a card%s", f.byHand())
	default:
		f.add(ProblemNotRegistered, "", CommandEnroll, "neither Gmail nor the ledger has the user%s", f.unfinished())
	}
}

// byHand says what was done by hand last, which may be why the user is not registered; "" for nothing.
func (f *finder) byHand() string {
	if f.ByHand == nil {
		return ""
	}
	return fmt.Sprintf("; last by hand, on %s: %s", format.Day(f.ByHand.Started), f.ByHand.Verb)
}

// choice returns the enabled key pair of a card that an identity could use: the ledger's,
// else the last; "" for none.
func (f *finder) choice() string {
	choice := ""
	for _, pair := range f.Gmail.KeyPairs {
		if pair.Enabled && pair.Hardware() {
			choice = pair.ID
			if f.asks(pair.LeafSHA256) {
				return choice
			}
		}
	}
	return choice
}

// end looks whether the certificate ends soon.
func (f *finder) end() {
	end := f.End()
	switch {
	case end.IsZero():
	case f.Gmail == nil && end.Before(f.now):
		f.add(ProblemEnded, "", f.again(CommandRenew), "the certificate in the ledger ended on %s", format.Day(end))
	case end.After(f.now) && end.Before(f.now.Add(f.within)):
		f.add(ProblemEndsSoon, "", f.again(CommandRenew), "the certificate ends on %s", format.Day(end))
	}
}

// inserted looks at the user's card that is in a reader.
func (f *finder) inserted() {
	if f.Inserted == nil || f.Renews() || f.Replaces() {
		return
	}
	if f.Gmail != nil && f.Gmail.Identity != nil && !f.Inserted.Uses(f.Gmail.Identity) {
		f.add(ProblemCardNotUsed, "", CommandShowCard, "Gmail uses no certificate of card %d, which is in the reader", f.Inserted.Identity.Serial)
	}
}

// unknown compares what the identity uses with the ledger, which gets what was begun at its end.
func (f *finder) unknown() {
	if f.Renews() || f.Replaces() {
		return
	}
	for _, pair := range f.Used() {
		switch {
		case f.Entry == nil && len(f.Cards) == 0:
			f.add(ProblemNoEntry, pair.ID, CommandEnroll, "Gmail has an identity, and the ledger does not have the user")
			return
		case f.Entry != nil && f.Entry.State == ledger.StateDone && !f.asks(pair.LeafSHA256):
			f.add(ProblemOtherCertificate, pair.ID, CommandEnroll, "Gmail uses key pair %s, whose certificate is not the one of the ledger's entry", pair.ID)
		}
	}
}

// others looks at the key pairs that the identity does not use.
func (f *finder) others() {
	if f.Gmail == nil {
		return
	}
	identity := f.Gmail.Identity
	superfluous := map[string]bool{}
	for _, duplicate := range registration.Duplicates(f.Gmail.KeyPairs, identity) {
		superfluous[duplicate.Superfluous.ID] = true
		f.add(ProblemSuperfluous, duplicate.Superfluous.ID, CommandDisableKeyPair, "%s", duplicate.Finding())
	}
	onCard := slices.ContainsFunc(f.Gmail.KeyPairs, gmail.KeyPair.Hardware)
	for _, pair := range f.Gmail.KeyPairs {
		used := identity != nil && identity.Uses(pair.ID)
		switch {
		case !pair.Enabled || superfluous[pair.ID]:
		case len(pair.KeyServices) > 0 && used && f.choice() != "" && f.choice() != pair.ID:
			f.add(ProblemKeyService, f.choice(), CommandSetIdentity, "the identity uses key pair %s, whose private key is in a key service, beside one of a card", pair.ID)
		case len(pair.KeyServices) > 0 && onCard:
			f.add(ProblemKeyService, pair.ID, CommandDisableKeyPair, "key pair %s is in a key service, beside one of a card; while it is enabled, mail to it can be read", pair.ID)
		case identity != nil && !used && pair.Hardware() && !f.knows(pair.LeafSHA256) && !f.isBegun(pair):
			f.add(ProblemInNoIdentity, pair.ID, CommandShowKeyPair, "key pair %s is in no identity, and the ledger does not know it", pair.ID)
		}
	}
}
