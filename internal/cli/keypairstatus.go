package cli

import (
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// Where the private key of a key pair is, and whether its chain was validated when
// it was created: the JSON's words.
const (
	keyHardware   = "hardware"
	keyService    = "key-service"
	keyBoth       = "hardware-and-key-service"
	keyUnknown    = "unknown"
	chainAll      = "all"
	chainNone     = "none"
	chainNotKnown = "unknown"
)

// keyKind says where a key pair's private key is, as far as Gmail does.
func keyKind(pair gmail.KeyPair) string {
	switch service := len(pair.KeyServices) > 0; {
	case pair.Hardware() && service:
		return keyBoth
	case pair.Hardware():
		return keyHardware
	case service:
		return keyService
	}
	return keyUnknown
}

// listedPair is a key pair in the JSON of keypair list.
type listedPair struct {
	gmail.KeyPair
	// Kind is hardware, key-service, hardware-and-key-service or unknown.
	Kind string `json:"kind"`
}

// pairStatus is a key pair in the JSON of status.
type pairStatus struct {
	listedPair
	InIdentity bool `json:"in_identity"`
	// ChainValidation is all where an identity uses the pair or this ledger's runs
	// created it, none where they created it for history, and else unknown: Gmail
	// does not say.
	ChainValidation string `json:"chain_validation"`
	// SuperfluousTo is the key pair that serves for the same certificate, of one that
	// serves for nothing.
	SuperfluousTo string `json:"superfluous_to,omitempty"`
}

func pairStatuses(pairs []gmail.KeyPair, identity *gmail.Identity, known []ledger.Pair) []pairStatus {
	superfluous := map[string]string{}
	for _, duplicate := range registration.Duplicates(pairs, identity) {
		superfluous[duplicate.Superfluous.ID] = duplicate.Kept.ID
	}
	all := []pairStatus{}
	for _, pair := range pairs {
		status := pairStatus{listedPair: listedPair{pair, keyKind(pair)}, SuperfluousTo: superfluous[pair.ID],
			InIdentity: identity != nil && identity.Uses(pair.ID), ChainValidation: chainNotKnown}
		if status.InIdentity {
			status.ChainValidation = chainAll
		}
		for _, k := range known {
			if k.KeyPairID != pair.ID || status.InIdentity {
				continue
			}
			switch {
			case k.Use == certificate.UseHistory && k.Created:
				status.ChainValidation = chainNone
			case k.Use != certificate.UseHistory && k.Created:
				status.ChainValidation = chainAll
			}
		}
		all = append(all, status)
	}
	return all
}

// text is a key pair in a line.
func (p pairStatus) text(identity *gmail.Identity) string {
	text := p.ID + ", " + describe.KeyPair(p.KeyPair, identity).Text
	switch {
	case p.InIdentity:
	case p.ChainValidation == chainNone:
		text += ", for history: its chain was not validated"
	case p.ChainValidation != chainAll:
		text += ", not known whether it is for history only"
	}
	return text
}

// finding says that a key pair is superfluous, or "".
func (p pairStatus) finding() string {
	if p.SuperfluousTo == "" {
		return ""
	}
	return registration.Duplicate{Superfluous: p.KeyPair, Kept: gmail.KeyPair{ID: p.SuperfluousTo}}.Finding()
}
