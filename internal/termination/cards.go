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
func (c cards) ended(state registered.State, request Request) ([]string, error) {
	if request.Reason == ReasonLeft && request.Serial == 0 {
		return c.ids(func(string, uint32) bool { return true }), nil
	}
	serial := request.Serial
	if serial == 0 {
		var err error
		if serial, err = c.meant(state, request.Email); err != nil {
			return nil, err
		}
	}
	ids := c.ids(func(id string, on uint32) bool {
		return on == serial && (serial != 0 || state.Identity != nil && state.Identity.Uses(id))
	})
	if len(ids) == 0 {
		return nil, &UnknownCardError{request.Email, serial}
	}
	return ids, nil
}

// meant returns the serial number of the card that the identity uses; where there is no
// identity, of the only card.
func (c cards) meant(state registered.State, email string) (uint32, error) {
	var used, all []uint32
	for _, pair := range state.KeyPairs {
		serial, isCard := c[pair.ID]
		if !isCard {
			continue
		}
		if !slices.Contains(all, serial) {
			all = append(all, serial)
		}
		if state.Identity != nil && state.Identity.Uses(pair.ID) && !slices.Contains(used, serial) {
			used = append(used, serial)
		}
	}
	switch {
	case len(used) == 1:
		return used[0], nil
	case len(used) == 0 && state.Identity == nil && len(all) == 1 && all[0] != 0:
		return all[0], nil
	}
	return 0, &WhichCardError{email, all}
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
