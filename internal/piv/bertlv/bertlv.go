// Package bertlv reads and writes the BER-TLV data objects that smart cards
// exchange (ISO/IEC 7816-4 §5.2.2.2). Tags such as 7F49 and 5FC102 take several
// bytes and lengths need not be minimal, so encoding/asn1 does not fit.
package bertlv

import (
	"errors"
	"fmt"
)

// Tag is a BER tag with its bytes in order, such as 0x53 or 0x5FC102.
type Tag uint32

// Element is one data object.
type Element struct {
	Tag   Tag
	Value []byte // shares memory with what was parsed
}

// ErrMalformed is returned for bytes that are not a sequence of data objects.
var ErrMalformed = errors.New("malformed TLV")

// ErrNotFound is returned by Find when no element has the tag.
var ErrNotFound = errors.New("no such TLV element")

// Next splits the first element off data. Lengths of up to three bytes are
// accepted; the indefinite form is not.
func Next(data []byte) (element Element, rest []byte, err error) {
	tag, rest, err := readTag(data)
	if err != nil {
		return Element{}, nil, err
	}
	length, rest, err := readLength(rest)
	if err != nil {
		return Element{}, nil, err
	}
	if length > len(rest) {
		return Element{}, nil, fmt.Errorf("%w: tag %X wants %d bytes of %d", ErrMalformed, uint32(tag), length, len(rest))
	}
	return Element{Tag: tag, Value: rest[:length:length]}, rest[length:], nil
}

// Parse splits data, which must hold whole elements only.
func Parse(data []byte) ([]Element, error) {
	var elements []Element
	for len(data) > 0 {
		element, rest, err := Next(data)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
		data = rest
	}
	return elements, nil
}

// Find returns the value of the first element with the tag at the top level of
// data. It is ErrNotFound when there is none, ErrMalformed when data ends in
// something else before.
func Find(data []byte, tag Tag) ([]byte, error) {
	for len(data) > 0 {
		element, rest, err := Next(data)
		if err != nil {
			return nil, err
		}
		if element.Tag == tag {
			return element.Value, nil
		}
		data = rest
	}
	return nil, fmt.Errorf("%w: tag %X", ErrNotFound, uint32(tag))
}

// Append adds an element with a minimal length. Next reads back what Append
// wrote for values below 16 MiB, far above anything a card holds.
func Append(dst []byte, tag Tag, value ...byte) []byte {
	started := false
	for shift := 24; shift >= 0; shift -= 8 {
		b := byte(tag >> shift)
		if b != 0 || started || shift == 0 {
			dst = append(dst, b)
			started = true
		}
	}
	switch n := len(value); {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	case n < 0x10000:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		dst = append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, value...)
}

func readTag(data []byte) (Tag, []byte, error) {
	if len(data) == 0 {
		return 0, nil, fmt.Errorf("%w: no tag", ErrMalformed)
	}
	tag := Tag(data[0])
	more := data[0]&0x1F == 0x1F
	data = data[1:]
	for n := 0; more; n++ {
		if n == 3 || len(data) == 0 {
			return 0, nil, fmt.Errorf("%w: unfinished tag", ErrMalformed)
		}
		tag = tag<<8 | Tag(data[0])
		more = data[0]&0x80 != 0
		data = data[1:]
	}
	return tag, data, nil
}

func readLength(data []byte) (int, []byte, error) {
	if len(data) == 0 {
		return 0, nil, fmt.Errorf("%w: no length", ErrMalformed)
	}
	first := data[0]
	data = data[1:]
	if first < 0x80 {
		return int(first), data, nil
	}
	n := int(first & 0x7F)
	if n == 0 || n > 3 || n > len(data) {
		return 0, nil, fmt.Errorf("%w: length byte %02X", ErrMalformed, first)
	}
	length := 0
	for _, b := range data[:n] {
		length = length<<8 | int(b)
	}
	return length, data[n:], nil
}
