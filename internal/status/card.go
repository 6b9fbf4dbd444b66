package status

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Card is what is known of one card.
type Card struct {
	Identity piv.Identity
	Status   piv.Status
	// Ledger has the certificates that the ledger knows to be, or to have been, on the
	// card.
	Ledger []ledger.CardCertificate
	// SameCHUID are the serial numbers of other cards that the ledger saw with its CHUID last.
	SameCHUID []uint32
	// Begun is what began last with the card, by the evidence on this machine; nil for nothing.
	Begun *Begun
	// Gmail is what Gmail has of the card's user; nil where it was not asked, or did not
	// answer.
	Gmail *registered.State
}

// Key is a key or certificate in a slot of a card. The JSON names are a contract.
type Key struct {
	Slot       piv.Slot `json:"slot"`
	LeafSHA256 string   `json:"leaf_sha256,omitempty"` // of its certificate
	Problem    string   `json:"problem,omitempty"`     // why Gmail cannot use it
	KeyPairID  string   `json:"key_pair_id,omitempty"` // that Gmail has for the certificate
	InIdentity bool     `json:"in_identity"`           // Gmail signs or encrypts with it
	// Ledger is what the ledger says of it; empty for nothing.
	Ledger ledger.CardState `json:"ledger,omitempty"`
}

// Owner returns the address whose the card is: the ledger's, by a certificate that is on the
// card; of a card that has keys whose enrollment with it began; whom the ledger has with the
// card; and else that of a certificate. It is empty for nobody.
func (c Card) Owner() string {
	for _, entered := range slices.Backward(c.Ledger) {
		if c.has(entered.LeafSHA256) {
			return entered.Email
		}
	}
	if c.Begun != nil && len(c.Keys()) > 0 {
		return c.Begun.Email
	}
	if at := slices.IndexFunc(c.Ledger, func(entered ledger.CardCertificate) bool { return entered.State == ledger.CardInUse }); at >= 0 {
		return c.Ledger[at].Email
	}
	if len(c.Ledger) > 0 {
		return c.Ledger[len(c.Ledger)-1].Email
	}
	for _, slot := range []piv.Slot{piv.SlotKeyManagement, piv.SlotSignature, piv.SlotAuthentication, piv.SlotCardAuthentication} {
		for _, contents := range c.Status.Slots {
			if contents.Slot != slot || contents.Certificate == nil {
				continue
			}
			if addresses := smime.EmailAddresses(contents.Certificate); len(addresses) > 0 {
				return addresses[0]
			}
		}
	}
	return ""
}

// has reports whether a certificate is on the card.
func (c Card) has(leafSHA256 string) bool {
	return slices.ContainsFunc(c.Status.Slots, func(contents piv.SlotContents) bool {
		return contents.Certificate != nil && certificate.Fingerprint(contents.Certificate) == leafSHA256
	})
}

// Keys lists what is in the card's slots, and what Gmail and the ledger know of it.
func (c Card) Keys() []Key {
	keys := []Key{}
	for _, contents := range c.Status.Slots {
		if contents.Key == nil && contents.Certificate == nil && contents.CertificateErr == nil {
			continue // firmware that cannot tell
		}
		key := Key{Slot: contents.Slot, Problem: problemOf(contents)}
		if contents.Certificate != nil {
			key.LeafSHA256 = certificate.Fingerprint(contents.Certificate)
			key.gmail(c.Gmail)
			key.InIdentity = key.InIdentity && !contents.Mismatched()
		}
		for _, entered := range c.Ledger {
			if entered.LeafSHA256 == key.LeafSHA256 {
				key.Ledger = entered.State
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// problemOf says what is missing in a slot; "" where key and certificate are there.
func problemOf(contents piv.SlotContents) string {
	noKey := contents.Key == nil && !contents.KeyUnknown
	switch {
	case contents.CertificateErr != nil && noKey:
		return "a certificate that cannot be read, and no key"
	case contents.CertificateErr != nil:
		return "a key, and a certificate that cannot be read"
	case contents.Certificate == nil:
		return "a key without a certificate"
	case noKey:
		return "a certificate without its key"
	}
	return ""
}

// gmail finds the key pair that Gmail has for the certificate, before others the one that
// the identity uses.
func (k *Key) gmail(state *registered.State) {
	if state == nil {
		return
	}
	for _, pair := range state.KeyPairs {
		uses := state.Identity != nil && state.Identity.Uses(pair.ID)
		if pair.Has(k.LeafSHA256) && pair.Hardware() && (k.KeyPairID == "" || uses) {
			k.KeyPairID, k.InIdentity = pair.ID, uses
		}
	}
}

// State judges the card. Where Gmail did not answer, the ledger's word counts.
func (c Card) State() State {
	keys := c.Keys()
	any := func(is func(Key) bool) bool { return slices.ContainsFunc(keys, is) }
	uses := func(k Key) bool { return k.InIdentity || c.Gmail == nil && k.Ledger == ledger.CardInUse }
	switch {
	case c.Status.PIN.Tries == 0:
		return StateBlocked
	case len(keys) > 0 && (c.renews() || any(c.awaited)):
		return StateRenewing
	case len(keys) > 0 && c.replaces(any(c.waits)):
		return StateReplacing
	case any(uses):
		return StateRegistered
	case any(c.waits):
		return StateWaiting
	case c.Begun.unfinished() && len(keys) > 0 && !any(func(k Key) bool { return k.Ledger != "" }):
		return StateWaiting
	case any(func(k Key) bool { return k.KeyPairID != "" || k.Ledger != "" }):
		return StateSuperseded
	case len(keys) > 0:
		return StateForeign
	case c.Status.PIN.Factory == piv.No:
		return StatePersonalised
	case c.Status.PIN.Factory == piv.Unknown:
		return StateUnknown
	}
	return StateEmpty
}

// Next lists what may be done with the card: of what State.Next lists that for which it has the keys,
// with the command that goes on with what was begun.
func (c Card) Next() []Transition {
	next := slices.DeleteFunc(c.State().Next(), c.lacks)
	for i := range next {
		if next[i].From == StateRenewing || next[i].From == StateReplacing {
			next[i].Command = c.Begun.again(next[i].Command)
		}
	}
	return next
}

// KeySlot returns the slot whose key can be enrolled as it is, 9d before others; 0 where the card has
// none outside its retired slots.
func (c Card) KeySlot() piv.Slot {
	for _, slot := range []piv.Slot{piv.SlotKeyManagement, piv.SlotSignature, piv.SlotAuthentication, piv.SlotCardAuthentication} {
		if slices.ContainsFunc(c.Status.Slots, func(contents piv.SlotContents) bool { return contents.Slot == slot && contents.Key != nil }) {
			return slot
		}
	}
	return 0
}

// lacks reports whether the card has not what a transition is about: a key that is to be enrolled, an
// empty slot 9d for a new one, or something there that a new one takes the place of.
func (c Card) lacks(t Transition) bool {
	known := t.From == StateForeign || t.From == StateSuperseded
	occupied := slices.ContainsFunc(c.Status.Slots, func(contents piv.SlotContents) bool { return contents.Slot == piv.SlotKeyManagement })
	switch t.Command {
	case CommandEnrollExisting:
		return c.KeySlot() == 0
	case CommandEnrollOver:
		return !occupied
	case CommandEnroll:
		return known && (occupied || t.From == StateSuperseded && c.KeySlot() != 0)
	}
	return false
}

// uses lists the certificates that are in use for the card's user, and reports whether anybody
// told.
func (c Card) uses() (uses []use, told bool) {
	inUse := func(leafSHA256 string) bool {
		return slices.ContainsFunc(c.Ledger, func(e ledger.CardCertificate) bool { return e.LeafSHA256 == leafSHA256 && e.State == ledger.CardInUse })
	}
	if c.Gmail == nil {
		for _, entered := range c.Ledger {
			if entered.State == ledger.CardInUse && entered.Use != certificate.UseHistory {
				uses = append(uses, use{entered.LeafSHA256, entered.Serial, true})
			}
		}
		return uses, len(c.Ledger) > 0
	}
	for _, pair := range c.Gmail.KeyPairs {
		if c.Gmail.Identity == nil || !c.Gmail.Identity.Uses(pair.ID) {
			continue
		}
		serial := registered.SerialOf(pair)
		if c.has(pair.LeafSHA256) {
			serial = c.Identity.Serial
		}
		uses = append(uses, use{pair.LeafSHA256, serial, inUse(pair.LeafSHA256)})
	}
	return uses, true
}

// renews reports whether a renewal is unfinished that the evidence on this machine has.
func (c Card) renews() bool {
	uses, told := c.uses()
	return c.Begun.renews() && (!told || c.Begun.goesOn(uses))
}

// replaces reports whether the card is to take the place of another, of which the evidence on
// this machine tells or, where a key waits for its certificate, Gmail.
func (c Card) replaces(waits bool) bool {
	uses, told := c.uses()
	if c.Begun.replaces() && (!told || c.Gmail == nil && len(uses) == 0 || c.Begun.goesOn(uses)) {
		return true
	}
	givenUp := c.Begun != nil && c.Begun.GivenUp
	return waits && !givenUp && c.Gmail != nil && slices.ContainsFunc(uses, func(u use) bool { return u.serial != 0 && u.serial != c.Identity.Serial })
}

// awaited reports whether a slot has a new key for the certificate of an old one that is still
// in use: the old one is in a retired slot, or was lost, and nobody knows the new one.
func (c Card) awaited(k Key) bool {
	uses, _ := c.uses()
	inUse := func(contents piv.SlotContents) bool {
		return contents.Certificate != nil && slices.ContainsFunc(uses, func(u use) bool { return u.leafSHA256 == certificate.Fingerprint(contents.Certificate) })
	}
	contents := c.contents(k.Slot)
	if k.Slot.Retired() || contents.Key == nil || contents.Key.Origin != piv.Generated || contents.CertificateErr != nil {
		return false
	}
	if contents.Mismatched() && inUse(contents) {
		return true
	}
	moved := slices.ContainsFunc(c.Status.Slots, func(other piv.SlotContents) bool { return other.Slot.Retired() && inUse(other) })
	return moved && k.Ledger == "" && (k.KeyPairID == "" || len(c.Ledger) > 0 && !k.InIdentity)
}

// contents is what a slot has that Keys lists.
func (c Card) contents(slot piv.Slot) piv.SlotContents {
	return c.Status.Slots[slices.IndexFunc(c.Status.Slots, func(contents piv.SlotContents) bool { return contents.Slot == slot })]
}

// waits reports whether a slot has a key for whose certificate somebody waits: generated
// there, and without a certificate, or beside the known one of the key that was there before. An imported
// one came with its certificate elsewhere.
func (c Card) waits(k Key) bool {
	contents := c.contents(k.Slot)
	return !k.Slot.Retired() && contents.Key != nil && contents.Key.Origin == piv.Generated && contents.CertificateErr == nil &&
		(contents.Certificate == nil || contents.Mismatched() && (k.KeyPairID != "" || k.Ledger != ""))
}

// Uses reports whether the identity uses the key pair of a certificate on the card, as far
// as Gmail was asked.
func (c Card) Uses(identity *gmail.Identity) bool {
	return identity != nil && slices.ContainsFunc(c.Keys(), func(k Key) bool { return identity.Uses(k.KeyPairID) })
}
