package status

import (
	"slices"

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
	// Begun is whose enrollment with the card began last, by the evidence on this machine;
	// empty for nobody's.
	Begun string
	// Gmail is what Gmail has of the card's user; nil where it was not asked, or did not
	// answer.
	Gmail *registered.State
}

// Key is a key or certificate in a slot of a card. The JSON names are a contract.
type Key struct {
	Slot       piv.Slot `json:"slot"`
	LeafSHA256 string   `json:"leaf_sha256,omitempty"` // of its certificate
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
	if c.Begun != "" && len(c.Keys()) > 0 {
		return c.Begun
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
		return contents.Certificate != nil && smime.Fingerprint(contents.Certificate) == leafSHA256
	})
}

// Keys lists what is in the card's slots, and what Gmail and the ledger know of it.
func (c Card) Keys() []Key {
	keys := []Key{}
	for _, contents := range c.Status.Slots {
		if contents.Key == nil && contents.Certificate == nil && contents.CertificateErr == nil {
			continue // firmware that cannot tell
		}
		key := Key{Slot: contents.Slot}
		if contents.Certificate != nil {
			key.LeafSHA256 = smime.Fingerprint(contents.Certificate)
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
	case any(uses) && any(c.waits) && !any(func(k Key) bool { return uses(k) && !k.Slot.Retired() }):
		return StateWaiting // in a renewal
	case any(uses):
		return StateRegistered
	case any(c.waits):
		return StateWaiting
	case any(func(k Key) bool { return k.KeyPairID != "" || k.Ledger != "" }):
		return StateSuperseded
	case len(keys) > 0:
		return StateForeign
	case c.Status.PIN.Factory == piv.No:
		return StatePersonalised
	}
	return StateEmpty
}

// waits reports whether a slot has a key for whose certificate somebody waits: generated
// there, and without a certificate, or beside the known one of the key that was there before. An imported
// one came with its certificate elsewhere.
func (c Card) waits(k Key) bool {
	at := slices.IndexFunc(c.Status.Slots, func(contents piv.SlotContents) bool { return contents.Slot == k.Slot })
	contents := c.Status.Slots[at]
	return !k.Slot.Retired() && contents.Key != nil && contents.Key.Origin == piv.Generated && contents.CertificateErr == nil &&
		(contents.Certificate == nil || contents.Mismatched() && (k.KeyPairID != "" || k.Ledger != ""))
}

// Uses reports whether the identity uses the key pair of a certificate on the card, as far
// as Gmail was asked.
func (c Card) Uses(identity *gmail.Identity) bool {
	return identity != nil && slices.ContainsFunc(c.Keys(), func(k Key) bool { return identity.Uses(k.KeyPairID) })
}
