package enrollcmd

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// formerCards asks for the end of the use of the cards that the new one takes the place of: those
// that it was when that was begun, those that the identity uses now or, where it moved in an earlier
// run, used before. A card whose serial number is not known is named by its key pairs.
func (o *replaceOptions) formerCards(ctx context.Context, messages io.Writer, email string) (requests []termination.Request, err error) {
	user, err := o.Gmail.User(ctx, messages, email)
	if err != nil {
		return nil, err
	}
	state, err := registered.ReadState(ctx, user)
	if err != nil {
		return nil, err
	}
	if err := o.old.check(email, state); err != nil {
		return nil, err
	}
	earlier, err := o.earlier(email)
	if err != nil {
		return nil, err
	}
	o.old.begun = earlier.Copies
	var serials []uint32
	if earlier.Replaces != nil {
		serials = knownCards(state, earlier.Replaces.Cards)
	}
	if len(serials) == 0 {
		serials = otherSerials(state, state.Identity, o.serial)
	}
	if len(serials) == 0 {
		serials = otherSerials(state, earlier.Before, o.serial)
	}
	if len(serials) == 0 && o.replaces.Reason == termination.ReasonNameChange {
		serials = serialsOfOtherNames(state, email, o.serial)
	}
	unnamed := unnamedPairs(state, state.Identity)
	if len(unnamed) == 0 {
		unnamed = unnamedPairs(state, earlier.Before)
	}
	if used := otherSerials(state, state.Identity, 0); len(serials)+len(unnamed) == 0 && slices.Contains(used, o.serial) {
		return nil, &termination.NotMovedError{Email: email, Serial: o.serial, InReader: true}
	}
	var copied []string
	for _, pair := range o.old.pairs(state) {
		copied = append(copied, pair.ID)
	}
	request := termination.Request{Email: email, Reason: o.replaces.Reason, MovesTo: o.serial, KeyPairs: o.end.KeyPairs(), Copied: copied}
	for _, serial := range serials {
		request.Serial = serial
		requests = append(requests, request)
	}
	if len(unnamed) > 0 {
		request.Serial, request.Only = 0, unnamed
		requests = append(requests, request)
	}
	return requests, nil
}

// knownCards returns those of the cards of which Gmail has a key pair.
func knownCards(state registered.State, serials []uint32) []uint32 {
	return slices.DeleteFunc(slices.Clone(serials), func(serial uint32) bool {
		return !slices.ContainsFunc(state.KeyPairs, func(pair gmail.KeyPair) bool { return registered.SerialOf(pair) == serial })
	})
}

// otherSerials returns the serial numbers of the cards of an identity's key pairs, but for one.
func otherSerials(state registered.State, identity *gmail.Identity, serial uint32) (serials []uint32) {
	for _, pair := range state.KeyPairs {
		of := registered.SerialOf(pair)
		if identity != nil && identity.Uses(pair.ID) && of != 0 && of != serial && !slices.Contains(serials, of) {
			serials = append(serials, of)
		}
	}
	return serials
}

// unnamedPairs returns the ids of an identity's key pairs on cards whose serial numbers Gmail does not
// have, such as those that batch registered.
func unnamedPairs(state registered.State, identity *gmail.Identity) (ids []string) {
	for _, pair := range state.KeyPairs {
		if identity != nil && identity.Uses(pair.ID) && pair.Hardware() && registered.SerialOf(pair) == 0 {
			ids = append(ids, pair.ID)
		}
	}
	return ids
}

// serialsOfOtherNames returns the serial numbers of the cards whose certificates do not name the
// address, but for one: after a change of name, no identity of the new address uses them.
func serialsOfOtherNames(state registered.State, email string, serial uint32) (serials []uint32) {
	for _, pair := range state.KeyPairs {
		named := slices.ContainsFunc(pair.Emails, func(name string) bool { return strings.EqualFold(name, email) })
		if of := registered.SerialOf(pair); pair.Enabled && !named && of != 0 && of != serial && !slices.Contains(serials, of) {
			serials = append(serials, of)
		}
	}
	return serials
}
