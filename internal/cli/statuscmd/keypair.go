package statuscmd

import (
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/gmailcmd"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// Whether the chain of a key pair was validated when it was created: the JSON's words.
const (
	chainAll      = "all"
	chainNone     = "none"
	chainNotKnown = "unknown"
)

// pairStatus is a key pair in the JSON of status.
type pairStatus struct {
	gmailcmd.ListedPair
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
		status := pairStatus{ListedPair: gmailcmd.NewListedPair(pair), SuperfluousTo: superfluous[pair.ID],
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
