package pcsc

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// Object is the tag of a PIV data object (SP 800-73-4 part 1, table 3).
type Object uint32

// The data objects that are not a slot's certificate.
const (
	ObjectCHUID Object = 0x5FC102 // Card Holder Unique Identifier
	ObjectCCC   Object = 0x5FC107 // Card Capability Container
	// ObjectPrinted is the Printed Information, which the PIN opens.
	ObjectPrinted Object = 0x5FC109
	// ObjectAdminData is what Yubico's tools note for each other (Yubico's name: ADMIN DATA).
	ObjectAdminData Object = 0x5FFF00
	// ObjectKeyHistory tells how many retired key management keys there are.
	ObjectKeyHistory Object = 0x5FC10C
	// ObjectAttestation is the certificate of the key in slot F9, which signs
	// attestations (Yubico PIV extensions).
	ObjectAttestation Object = 0x5FFF01
)

const tagData bertlv.Tag = 0x53

// ErrNoObject is returned for a data object that the card does not hold.
var ErrNoObject = errors.New("no such data object on the card")

func (o Object) tagList() []byte {
	return []byte{0x5C, 0x03, byte(o >> 16), byte(o >> 8), byte(o)}
}

// GetData reads the contents of a data object, without the enclosing tag 53.
// It is ErrNoObject when the object is absent or empty.
func (a Applet) GetData(object Object) ([]byte, error) {
	response, err := a.Exchange(Command{Instruction: insGetData, P1: 0x3F, P2: 0xFF, Data: object.tagList()})
	if errors.Is(err, NotFound) {
		return nil, fmt.Errorf("%w: %06X", ErrNoObject, uint32(object))
	}
	if err != nil {
		return nil, fmt.Errorf("reading object %06X: %w", uint32(object), err)
	}
	data, err := bertlv.Find(response, tagData)
	if err != nil {
		return nil, fmt.Errorf("reading object %06X: %w", uint32(object), err)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: %06X", ErrNoObject, uint32(object))
	}
	return data, nil
}

// PutData replaces the contents of a data object; no contents delete it. The
// management key must be authenticated. CardFull is in the error when there is
// no room.
func (a Applet) PutData(object Object, contents []byte) error {
	data := bertlv.Append(object.tagList(), tagData, contents...)
	if _, err := a.Exchange(Command{Instruction: insPutData, P1: 0x3F, P2: 0xFF, Data: data}); err != nil {
		return fmt.Errorf("writing object %06X: %w", uint32(object), err)
	}
	return nil
}
