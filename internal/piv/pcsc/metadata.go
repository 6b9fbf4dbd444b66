package pcsc

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// References that GET METADATA takes besides the key slots.
const (
	ReferencePIN           = 0x80
	ReferencePUK           = 0x81
	ReferenceManagementKey = 0x9B
)

// Metadata is a YubiKey's answer to GET METADATA (Yubico PIV extensions,
// firmware 5.3 and later). Absent elements are zero.
type Metadata struct {
	Algorithm   byte   // tag 01: SP 800-78-4 table 6-2 and Yubico's own
	PINPolicy   byte   // tag 02, first byte: 1 never, 2 once, 3 always, 4 match once, 5 match always
	TouchPolicy byte   // tag 02, second byte: 1 never, 2 always, 3 cached
	Origin      byte   // tag 03: 1 generated, 2 imported
	PublicKey   []byte // tag 04: the data objects of a public key, without 7F49
	Default     byte   // tag 05: 1 while the factory value is set, 0 when it was changed
	HasDefault  bool   // whether tag 05 was there
	Retries     int    // tag 06, first byte: tries after a success
	Remaining   int    // tag 06, second byte: tries left
	HasRetries  bool   // whether tag 06 was there
}

// Metadata asks about a key slot, the PIN, the PUK or the management key. An
// empty slot answers ReferenceNotFound, firmware before 5.3 UnknownInstruction.
func (a Applet) Metadata(reference byte) (Metadata, error) {
	response, err := a.Exchange(Command{Instruction: insMetadata, P2: reference})
	if err != nil {
		return Metadata{}, fmt.Errorf("reading the metadata of %02x: %w", reference, err)
	}
	metadata, err := ParseMetadata(response)
	if err != nil {
		return Metadata{}, fmt.Errorf("reading the metadata of %02x: %w", reference, err)
	}
	return metadata, nil
}

// ParseMetadata reads the response data of GET METADATA. Unknown elements are
// passed over; known ones of a wrong length are bertlv.ErrMalformed.
func ParseMetadata(response []byte) (Metadata, error) {
	elements, err := bertlv.Parse(response)
	if err != nil {
		return Metadata{}, err
	}
	var m Metadata
	for _, element := range elements {
		want := map[bertlv.Tag]int{0x01: 1, 0x02: 2, 0x03: 1, 0x05: 1, 0x06: 2}[element.Tag]
		value := element.Value
		if want != 0 && len(value) != want {
			return Metadata{}, fmt.Errorf("%w: metadata element %02X has %d bytes, not %d", bertlv.ErrMalformed, uint32(element.Tag), len(value), want)
		}
		switch element.Tag {
		case 0x01:
			m.Algorithm = value[0]
		case 0x02:
			m.PINPolicy, m.TouchPolicy = value[0], value[1]
		case 0x03:
			m.Origin = value[0]
		case 0x04:
			m.PublicKey = value
		case 0x05:
			m.Default, m.HasDefault = value[0], true
		case 0x06:
			m.Retries, m.Remaining, m.HasRetries = int(value[0]), int(value[1]), true
		}
	}
	return m, nil
}
