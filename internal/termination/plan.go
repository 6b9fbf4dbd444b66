package termination

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// KeyPairs says what becomes of a card's key pairs at Gmail. The values are a contract.
type KeyPairs string

// What becomes of key pairs; the zero value goes by the reason.
const (
	KeyPairsByReason KeyPairs = ""
	KeyPairsLeave    KeyPairs = "leave"
	KeyPairsDisable  KeyPairs = "disable"
)

// Request asks for the end of the use of a card.
type Request struct {
	Email  string // the user's primary address
	Reason Reason
	// Serial is of the card; 0 for the card that the user's identity uses, or of somebody
	// who leaves for all key pairs, wherever their private keys are.
	Serial uint32
	// Only names the key pairs whose use ends, where not all of the card's do.
	Only []string
	// Identity takes the place of one that uses the card; nil where it is deleted.
	Identity *gmail.Identity
	// MovesTo is the serial number of a card that is about to be enrolled, to which the
	// identity moves; 0 for none.
	MovesTo  uint32
	KeyPairs KeyPairs
	// Copied names the key pairs of whose keys the new card gets a copy: they stay as they are.
	Copied []string
	// Begun tells that the enrollment that is undone did not come to its end, so that Gmail may have nothing
	// of it, and GivenUp that it was given up already.
	Begun, GivenUp bool
	// Clear tells that the card loses what was enrolled with it.
	Clear bool
}

// Plan is what the end of the use of a card changes.
type Plan struct {
	Request
	Rule Rule
	// Ended are the key pairs of the card, and Others the user's other ones.
	Ended, Others []gmail.KeyPair
	// InUse tells that the identity uses one of the card's key pairs now.
	InUse bool
	// Effects are the changes at Gmail in their order, those included that are made already.
	Effects []registered.Effect
	// Cards are what the ledger is to say of the certificates on the card.
	Cards []ledger.CardCertificate
	// Revoke are the certificates that the CA at hand revokes, and AskToRevoke those of
	// which another has to be asked.
	Revoke, AskToRevoke []*x509.Certificate
}

// Nothing reports whether Gmail has nothing of the user that could end.
func (p Plan) Nothing() bool {
	return !p.Begun && len(p.Ended) == 0 && len(p.Others) == 0 && p.Done()
}

// WhichCardError is returned for a user of several cards, of whom nothing tells which one
// is meant.
type WhichCardError struct {
	Email string
	Cards []uint32 // serial numbers; 0 is not known
}

// Error names them.
func (e *WhichCardError) Error() string {
	if len(e.Cards) == 0 {
		return fmt.Sprintf("Gmail has no key pair of a card for %s", e.Email)
	}
	var names []string
	for _, serial := range e.Cards {
		name := "one whose serial number is not known"
		if serial != 0 {
			name = strconv.FormatUint(uint64(serial), 10)
		}
		names = append(names, name)
	}
	return fmt.Sprintf("it is not clear which card of %s is meant: %s", e.Email, strings.Join(names, ", "))
}

// UnknownCardError is returned for a card of which Gmail has no key pair of the user's.
type UnknownCardError struct {
	Email  string
	Serial uint32
}

// Error names it.
func (e *UnknownCardError) Error() string {
	return fmt.Sprintf("Gmail has no key pair of card %d for %s", e.Serial, e.Email)
}

// NotMovedError is returned for a card that was to be replaced, and is the one that the user's
// identity uses still.
type NotMovedError struct {
	Email    string
	Serial   uint32
	InReader bool // in the place of the new one
}

// Error names it.
func (e *NotMovedError) Error() string {
	inReader := ""
	if e.InReader {
		inReader = "which is in the reader, and "
	}
	return fmt.Sprintf("%s is not enrolled with another card: Gmail still uses card %d, %swhose use does not end", e.Email, e.Serial, inReader)
}

// SameCardError is returned where an identity is to move to a key pair of the card whose
// use ends.
type SameCardError struct{ KeyPairID string }

// Error names it.
func (e *SameCardError) Error() string {
	return fmt.Sprintf("key pair %s is of the card whose use ends", e.KeyPairID)
}

// KeyInUseError is returned where a key is to be taken off a card that another key pair of the user needs, such
// as the one before a renewal with the same key.
type KeyInUseError struct {
	Serial    uint32
	Slot      string
	KeyPairID string
}

// Error names both.
func (e *KeyInUseError) Error() string {
	return fmt.Sprintf("the key in slot %s of card %d is also that of key pair %s, whose mail can be read with nothing else", e.Slot, e.Serial, e.KeyPairID)
}

// OfKey returns which of the user's other key pairs has that public key; nil for none.
func (p Plan) OfKey(public crypto.PublicKey) *gmail.KeyPair {
	for i, pair := range p.Others {
		if leaf := leafOf(pair); leaf != nil && certificate.SameKey(leaf.PublicKey, public) {
			return &p.Others[i]
		}
	}
	return nil
}

// NewPlan makes the plan for a user of whom Gmail has that state; known are the
// certificates on the user's cards in the ledger. Its errors are *WhichCardError,
// *UnknownCardError, *SameCardError and those of [registered.Forecast].
func NewPlan(state registered.State, known []ledger.CardCertificate, request Request) (Plan, error) {
	plan := Plan{Request: request}
	var isReason bool
	if plan.Rule, isReason = RuleOf(request.Reason); !isReason {
		return plan, fmt.Errorf("%q is no reason for the end of a card's use", request.Reason)
	}
	if request.KeyPairs != KeyPairsByReason {
		plan.Rule.Disable = request.KeyPairs == KeyPairsDisable
	}
	cards := cardsOf(state, known)
	ended, err := cards.ended(state, known, request)
	if err != nil {
		return plan, err
	}
	for _, pair := range state.KeyPairs {
		if slices.Contains(ended, pair.ID) {
			plan.Ended = append(plan.Ended, pair)
		} else {
			plan.Others = append(plan.Others, pair)
		}
	}
	plan.InUse = state.Identity != nil && slices.ContainsFunc(plan.Ended, func(pair gmail.KeyPair) bool { return state.Identity.Uses(pair.ID) })
	plan.Effects, err = registered.ForecastAll(state, plan.changes(state.Identity))
	if at := slices.IndexFunc(plan.Ended, func(pair gmail.KeyPair) bool { return request.Identity != nil && request.Identity.Uses(pair.ID) }); at >= 0 {
		return plan, &SameCardError{plan.Ended[at].ID}
	}
	plan.Cards = plan.cards(cards, known)
	return plan, err
}

// changes returns what is to be so at Gmail: first no mail is encrypted to the card any
// more, then its key pairs are disabled.
func (p Plan) changes(identity *gmail.Identity) (changes []registered.Change) {
	switch {
	case p.GivesUp():
	case p.MovesTo != 0:
	case p.Identity != nil && (p.InUse || identity == nil || identity.Equal(*p.Identity)):
		changes = append(changes, registered.Change{Verb: registered.VerbSet, Identity: *p.Identity})
	case p.InUse:
		changes = append(changes, registered.Change{Verb: registered.VerbDelete})
	}
	if p.Rule.Disable {
		for _, pair := range p.Ended {
			if !slices.Contains(p.Copied, pair.ID) {
				changes = append(changes, registered.Change{Verb: registered.VerbDisable, KeyPairID: pair.ID})
			}
		}
	}
	return changes
}

// GivesUp tells whether the plan ends an enrollment that Gmail has nothing of.
func (p Plan) GivesUp() bool { return p.Begun && len(p.Ended) == 0 }

// Done tells whether everything is so already.
func (p Plan) Done() bool {
	return !p.Risky() && len(p.Cards) == 0 && (!p.GivesUp() || p.GivenUp)
}

// Risky tells whether somebody has to agree: something changes at Gmail or the CA.
func (p Plan) Risky() bool {
	return len(p.Revoke) > 0 || slices.ContainsFunc(p.Effects, func(effect registered.Effect) bool { return !effect.Done })
}

// revocations returns the certificates that are to be revoked.
func (p Plan) revocations() (certificates []*x509.Certificate) {
	if p.Rule.Revocation == 0 {
		return nil
	}
	for _, pair := range p.Ended {
		if leaf := leafOf(pair); leaf != nil && !slices.ContainsFunc(certificates, leaf.Equal) {
			certificates = append(certificates, leaf)
		}
	}
	return certificates
}

// cards returns what becomes of the certificates on the card, as the ledger is to say it.
func (p Plan) cards(serials cards, known []ledger.CardCertificate) (all []ledger.CardCertificate) {
	for _, pair := range p.Ended {
		serial := serials[pair.ID]
		if serial == 0 {
			continue
		}
		one := ledger.CardCertificate{Email: p.Email, Serial: serial, LeafSHA256: pair.LeafSHA256, NotAfter: pair.NotAfter, KeyPairID: pair.ID, Use: certificate.UseBoth}
		at := slices.IndexFunc(known, func(c ledger.CardCertificate) bool { return c.Serial == serial && c.LeafSHA256 == pair.LeafSHA256 })
		switch {
		case at >= 0 && known[at].State == p.Rule.Card:
			continue
		case at >= 0:
			one = known[at]
		}
		one.State = p.Rule.Card
		all = append(all, one)
	}
	return all
}

// leafOf returns the certificate of a key pair; nil where Gmail gave none that can be read.
func leafOf(pair gmail.KeyPair) *x509.Certificate {
	chain, err := certificate.Parse([]byte(pair.PEM))
	if err != nil {
		return nil
	}
	at := slices.IndexFunc(chain, func(one *x509.Certificate) bool { return certificate.Fingerprint(one) == pair.LeafSHA256 })
	if at < 0 {
		return nil
	}
	return chain[at]
}
