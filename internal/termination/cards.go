package termination

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// cards are the serial numbers of the cards that key pairs are on, by the key pairs' ids;
// 0 where it is not known.
type cards map[string]uint32

// cardsOf tells on which card each key pair is, by its description or the ledger.
func cardsOf(state registered.State, known []ledger.CardCertificate) cards {
	on := cards{}
	for _, pair := range state.KeyPairs {
		if !pair.Hardware() {
			continue
		}
		on[pair.ID] = registered.SerialOf(pair)
		for _, c := range known {
			if on[pair.ID] == 0 && pair.Has(c.LeafSHA256) {
				on[pair.ID] = c.Serial
			}
		}
	}
	return on
}

// ended returns the ids of the key pairs whose use ends.
func (c cards) ended(state registered.State, known []ledger.CardCertificate, request Request) ([]string, error) {
	if len(request.Only) > 0 {
		return request.Only, nil
	}
	if request.Reason == ReasonLeft && request.Serial == 0 {
		var all []string
		for _, pair := range state.KeyPairs {
			all = append(all, pair.ID)
		}
		return all, nil
	}
	serial := request.Serial
	if serial == 0 {
		var err error
		if serial, err = c.meant(state, known, request); err != nil {
			return nil, err
		}
	}
	ids := c.ids(func(id string, on uint32) bool {
		return on == serial && (serial != 0 || state.Identity != nil && state.Identity.Uses(id))
	})
	if len(ids) == 0 && request.Begun {
		return nil, nil
	}
	if len(ids) == 0 {
		return nil, &UnknownCardError{request.Email, serial}
	}
	return ids, nil
}

// meant returns the serial number of the card that the identity uses. Where there is no
// identity, or it moved already, that is the card of which the ledger says that its use ended
// for that reason, or else the only card.
func (c cards) meant(state registered.State, known []ledger.CardCertificate, request Request) (uint32, error) {
	moved := state.Identity == nil || request.Identity != nil && state.Identity.Equal(*request.Identity)
	rule, _ := RuleOf(request.Reason)
	var all, used, ended []uint32
	for _, pair := range state.KeyPairs {
		serial, isCard := c[pair.ID]
		if !isCard {
			continue
		}
		all = appendNew(all, serial)
		if state.Identity != nil && state.Identity.Uses(pair.ID) {
			used = appendNew(used, serial)
		}
		if slices.ContainsFunc(known, func(one ledger.CardCertificate) bool { return one.Serial == serial && one.State == rule.Card }) {
			ended = appendNew(ended, serial)
		}
	}
	switch {
	case moved && len(ended) == 1:
		return ended[0], nil
	case len(used) == 1:
		return used[0], nil
	case state.Identity == nil && len(all) == 1 && all[0] != 0:
		return all[0], nil
	}
	return 0, &WhichCardError{request.Email, all}
}

func appendNew(all []uint32, serial uint32) []uint32 {
	if slices.Contains(all, serial) {
		return all
	}
	return append(all, serial)
}

// ids returns the sorted ids of those key pairs.
func (c cards) ids(wanted func(id string, serial uint32) bool) (ids []string) {
	for id, serial := range c {
		if wanted(id, serial) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
