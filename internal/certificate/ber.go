package certificate

import (
	"errors"
	"fmt"
)

const (
	// indefinite is the length octet of a value that ends with two zero octets
	// (X.690 section 8.1.3.6).
	indefinite = 0x80
	// constructed is the bit of a tag whose value is made of values (section 8.1.2.5).
	constructed = 0x20
	tagOctets   = 0x04
	// maxDepth bounds how deep values may be nested.
	maxDepth = 32
)

var errBER = errors.New("it is not encoded as certificates are (ASN.1)")

// toDER returns the first value of data in DER, and what follows it. What BER writes
// in other ways becomes definite lengths in their shortest form and octet strings in
// one piece; what is in DER, certificates above all, stays as it is. Authorities built
// on Java's cryptography libraries write such files, and so do browsers.
//
// data is not changed. What it costs grows with the length of data alone.
func toDER(data []byte) (der, rest []byte, err error) {
	var e encoder
	size, rest, err := e.measure(data, 0)
	if err != nil {
		return nil, nil, err
	}
	e.out = make([]byte, 0, len(header(0, size))+size)
	e.write(data[:len(data)-len(rest)], true)
	return e.out, rest, nil
}

// encoder rewrites one value: measured first, so that it is written in one go.
type encoder struct {
	sizes []int32 // of what each value holds in DER, in the order of the file
	out   []byte
}

// measure returns how many octets of content the first value of data has in DER.
func (e *encoder) measure(data []byte, depth int) (size int, rest []byte, err error) {
	v, ok := readBER(data)
	if !ok || depth > maxDepth {
		return 0, nil, errBER
	}
	at := len(e.sizes)
	if e.sizes = append(e.sizes, 0); at == maxValues {
		return 0, nil, &TooLargeError{fmt.Sprintf("a structure of more than %d values", maxValues), maxValues}
	}
	if v.tag&constructed == 0 {
		e.sizes[at] = int32(len(v.body))
		return len(v.body), v.rest, nil
	}
	for body := v.body; ; {
		if v.ended(body) {
			e.sizes[at] = int32(size)
			return size, v.after(body), nil
		}
		whole := len(body)
		inner, left, err := e.measure(body, depth+1)
		if err != nil {
			return 0, nil, err
		}
		switch tag := body[0]; {
		case v.tag != tagOctets|constructed:
			size += len(header(tag, inner)) + inner
		case tag&^constructed != tagOctets:
			return 0, nil, errBER
		default:
			size += inner
		}
		if body = left; len(body) >= whole {
			return 0, nil, errBER
		}
	}
}

// write writes the value that data begins with, which was measured, and returns what
// follows it. A piece of an octet string is written without its own header.
func (e *encoder) write(data []byte, withHeader bool) (rest []byte) {
	v, _ := readBER(data)
	size, octets := int(e.sizes[0]), v.tag == tagOctets|constructed
	e.sizes = e.sizes[1:]
	if octets {
		v.tag = tagOctets
	}
	if withHeader {
		e.out = append(e.out, header(v.tag, size)...)
	}
	if v.tag&constructed == 0 && !octets {
		e.out = append(e.out, v.body...)
		return v.rest
	}
	body := v.body
	for !v.ended(body) {
		body = e.write(body, !octets)
	}
	return v.after(body)
}

// berValue is a value as it stands in BER. Of one with an indefinite length, body is
// everything that follows the header.
type berValue struct {
	tag        byte
	indefinite bool
	body, rest []byte
}

// ended reports whether no further value is in what is left of v's body.
func (v berValue) ended(body []byte) bool {
	if v.indefinite {
		return len(body) >= 2 && body[0] == 0 && body[1] == 0
	}
	return len(body) == 0
}

// after returns what follows v, whose body was read up to its end.
func (v berValue) after(body []byte) []byte {
	if v.indefinite {
		return body[2:]
	}
	return v.rest
}

// readBER reads the header of the first value of data. PKCS#7 and PKCS#12 have no tags
// of several octets.
func readBER(data []byte) (v berValue, ok bool) {
	if len(data) < 2 || data[0]&0x1f == 0x1f || data[0] == 0 {
		return v, false
	}
	if v.tag = data[0]; data[1] == indefinite {
		v.indefinite, v.body = true, data[2:]
		return v, v.tag&constructed != 0 // only they can end with a mark
	}
	start, length := 2, int(data[1])
	if data[1] > indefinite {
		octets := int(data[1] &^ indefinite)
		if octets > 4 || len(data) < 2+octets {
			return v, false
		}
		var n uint64
		for _, b := range data[2 : 2+octets] {
			n = n<<8 | uint64(b)
		}
		if n > MaxFile {
			return v, false
		}
		start, length = 2+octets, int(n)
	}
	if length > len(data)-start {
		return v, false
	}
	v.body, v.rest = data[start:start+length], data[start+length:]
	return v, true
}

// header encodes tag and length.
func header(tag byte, length int) []byte {
	switch {
	case length < indefinite:
		return []byte{tag, byte(length)}
	case length < 1<<8:
		return []byte{tag, 0x81, byte(length)}
	case length < 1<<16:
		return []byte{tag, 0x82, byte(length >> 8), byte(length)}
	}
	return []byte{tag, 0x83, byte(length >> 16), byte(length >> 8), byte(length)}
}
