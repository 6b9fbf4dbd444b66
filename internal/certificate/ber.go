package certificate

import "errors"

// indefinite is the length octet of a value that ends with two zero octets
// (X.690 section 8.1.3.6).
const indefinite = 0x80

// maxDepth bounds how deep values may be nested.
const maxDepth = 32

var errBER = errors.New("malformed BER")

// definite rewrites values of indefinite length, which authorities built on
// Java's cryptography libraries like to emit, with definite ones. Everything
// else, certificates above all, is copied as it stands. Octets after the first
// value are kept.
func definite(data []byte) ([]byte, error) {
	if len(data) < 2 || data[1] != indefinite {
		return data, nil
	}
	value, rest, err := rewrite(data, 0)
	if err != nil {
		return nil, err
	}
	return append(value, rest...), nil
}

// rewrite returns the first value of data with definite lengths, and what
// follows it.
func rewrite(data []byte, depth int) (value, rest []byte, err error) {
	if depth > maxDepth || len(data) < 2 || data[0]&0x1f == 0x1f { // no multi-octet tags in PKCS#7
		return nil, nil, errBER
	}
	if data[1] != indefinite {
		header, length, ok := definiteLength(data)
		if !ok || length > len(data)-header {
			return nil, nil, errBER
		}
		return data[:header+length], data[header+length:], nil
	}
	if data[0]&0x20 == 0 { // only constructed values may be of indefinite length
		return nil, nil, errBER
	}
	var body []byte
	for rest = data[2:]; ; {
		if len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
			return append(header(data[0], len(body)), body...), rest[2:], nil
		}
		var inner []byte
		if inner, rest, err = rewrite(rest, depth+1); err != nil {
			return nil, nil, err
		}
		body = append(body, inner...)
	}
}

// definiteLength reads the length at data[1:] and returns the size of tag and
// length together.
func definiteLength(data []byte) (header, length int, ok bool) {
	if data[1] < indefinite {
		return 2, int(data[1]), true
	}
	octets := int(data[1] &^ indefinite)
	if octets > 4 || len(data) < 2+octets {
		return 0, 0, false
	}
	var n uint64
	for _, b := range data[2 : 2+octets] {
		n = n<<8 | uint64(b)
	}
	if n > MaxFile {
		return 0, 0, false
	}
	return 2 + octets, int(n), true
}

// header encodes tag and length.
func header(tag byte, length int) []byte {
	if length < indefinite {
		return []byte{tag, byte(length)}
	}
	var octets []byte
	for n := length; n > 0; n >>= 8 {
		octets = append([]byte{byte(n)}, octets...)
	}
	return append([]byte{tag, indefinite | byte(len(octets))}, octets...)
}
