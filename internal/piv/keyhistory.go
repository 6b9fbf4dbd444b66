package piv

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// The Key History object: SP 800-73-4 part 1, section 3.3.3 and appendix A, table 21.
const (
	tagOnCardCerts  bertlv.Tag = 0xC1 // one byte
	tagOffCardCerts bertlv.Tag = 0xC2 // one byte
	tagOffCardURL   bertlv.Tag = 0xF3 // up to 118 bytes
)

// retiredSlots is the number of retired key management slots.
const retiredSlots = int(SlotRetiredLast-SlotRetiredFirst) + 1

// KeyHistory is what a card's Key History object says of the retired key management
// keys. Programs such as OpenSC look for no more certificates than it counts.
type KeyHistory struct {
	OnCard  int    // keys whose certificate is on the card
	OffCard int    // keys whose certificate is not on the card
	URL     string // where the certificates of those are; empty for nowhere
}

// readKeyHistory returns what the object says; nil where there is none. What is no Key
// History object is a *keyHistoryError.
func readKeyHistory(c *connection) (*KeyHistory, error) {
	object, err := c.GetData(pcsc.ObjectKeyHistory)
	switch {
	case errors.Is(err, pcsc.ErrNoObject):
		return nil, nil
	case errors.Is(err, bertlv.ErrMalformed), errors.Is(err, bertlv.ErrNotFound):
		return nil, &keyHistoryError{err}
	case err != nil:
		return nil, err
	}
	said, err := parseKeyHistory(object)
	if err != nil {
		return nil, &keyHistoryError{err}
	}
	return &said, nil
}

// keyHistoryError is returned for an object that is no Key History object.
type keyHistoryError struct{ err error }

func (e *keyHistoryError) Error() string { return "the Key History object: " + e.err.Error() }
func (e *keyHistoryError) Unwrap() error { return e.err }

// parseKeyHistory reads the contents of the object.
func parseKeyHistory(object []byte) (KeyHistory, error) {
	elements, err := bertlv.Parse(object)
	if err != nil {
		return KeyHistory{}, err
	}
	values := map[bertlv.Tag][]byte{}
	for _, element := range elements {
		if _, twice := values[element.Tag]; twice {
			return KeyHistory{}, fmt.Errorf("tag %X stands there twice", uint32(element.Tag))
		}
		values[element.Tag] = element.Value
	}
	said := KeyHistory{URL: string(values[tagOffCardURL])}
	for tag, count := range map[bertlv.Tag]*int{tagOnCardCerts: &said.OnCard, tagOffCardCerts: &said.OffCard} {
		if len(values[tag]) != 1 {
			return KeyHistory{}, fmt.Errorf("tag %X has %d bytes, not 1", uint32(tag), len(values[tag]))
		}
		*count = int(values[tag][0])
	}
	if said.OnCard+said.OffCard > retiredSlots {
		return KeyHistory{}, fmt.Errorf("it counts %d keys, and a card has room for %d", said.OnCard+said.OffCard, retiredSlots)
	}
	return said, nil
}

func (h KeyHistory) encode() []byte {
	object := bertlv.Append(nil, tagOnCardCerts, byte(h.OnCard))
	object = bertlv.Append(object, tagOffCardCerts, byte(h.OffCard))
	if h.OffCard > 0 || h.URL != "" {
		object = bertlv.Append(object, tagOffCardURL, []byte(h.URL)...)
	}
	return bertlv.Append(object, tagErrorCode)
}
