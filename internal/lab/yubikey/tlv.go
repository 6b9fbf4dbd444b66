package yubikey

// tlv is one BER-TLV data object (ISO/IEC 7816-4, 5.2.2). The tag's bytes are
// held big-endian, so 5F C1 05 is 0x5fc105.
type tlv struct {
	tag   uint32
	value []byte
}

// parseTLVs reads data objects with tags of up to three bytes and lengths of up
// to two bytes until data is used up. It reports false on anything else.
func parseTLVs(data []byte) ([]tlv, bool) {
	var objects []tlv
	for len(data) > 0 {
		object, rest, ok := nextTLV(data)
		if !ok {
			return nil, false
		}
		objects = append(objects, object)
		data = rest
	}
	return objects, true
}

// nextTLV reads the first data object and returns what follows it.
func nextTLV(data []byte) (object tlv, rest []byte, ok bool) {
	tag, rest, ok := nextTag(data)
	if !ok {
		return tlv{}, nil, false
	}
	length, rest, ok := nextLength(rest)
	if !ok || length > len(rest) {
		return tlv{}, nil, false
	}
	return tlv{tag: tag, value: rest[:length]}, rest[length:], true
}

func nextTag(data []byte) (tag uint32, rest []byte, ok bool) {
	for i, b := range data {
		if i == 3 {
			break
		}
		tag = tag<<8 | uint32(b)
		more := b&0x80 != 0
		if i == 0 {
			more = b&0x1f == 0x1f
		}
		if !more {
			return tag, data[i+1:], true
		}
	}
	return 0, nil, false
}

func nextLength(data []byte) (length int, rest []byte, ok bool) {
	switch {
	case len(data) >= 1 && data[0] < 0x80:
		return int(data[0]), data[1:], true
	case len(data) >= 2 && data[0] == 0x81:
		return int(data[1]), data[2:], true
	case len(data) >= 3 && data[0] == 0x82:
		return int(data[1])<<8 | int(data[2]), data[3:], true
	}
	return 0, nil, false
}

// appendTLV appends a data object with the shortest form of its length. Values
// are shorter than 64 KiB.
func appendTLV(dst []byte, tag uint32, value []byte) []byte {
	if tag > 0xffff {
		dst = append(dst, byte(tag>>16))
	}
	if tag > 0xff {
		dst = append(dst, byte(tag>>8))
	}
	dst = append(dst, byte(tag))
	n := len(value)
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	default:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, value...)
}
