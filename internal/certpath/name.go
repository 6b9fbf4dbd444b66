package certpath

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// name is a distinguished name as it reads: one text for each relative distinguished
// name, in which case, runs of spaces, the kind of string and the order of the
// attributes make no difference (RFC 5280 section 7.1).
type name []string

// readName reads a distinguished name in DER; of a malformed one what comes before the
// fault.
func readName(der []byte) name {
	input := cryptobyte.String(der)
	var sequence cryptobyte.String
	if !input.ReadASN1(&sequence, cryptobyte_asn1.SEQUENCE) {
		return nil
	}
	var result name
	for !sequence.Empty() {
		var set cryptobyte.String
		if !sequence.ReadASN1(&set, cryptobyte_asn1.SET) {
			break
		}
		var attributes []string
		for !set.Empty() {
			var attribute, kind, value cryptobyte.String
			var tag cryptobyte_asn1.Tag
			if !set.ReadASN1(&attribute, cryptobyte_asn1.SEQUENCE) || !attribute.ReadASN1(&kind, cryptobyte_asn1.OBJECT_IDENTIFIER) ||
				!attribute.ReadAnyASN1(&value, &tag) {
				break
			}
			attributes = append(attributes, string(kind)+"="+readString(tag, value))
		}
		slices.Sort(attributes)
		result = append(result, strings.Join(attributes, "\x00"))
	}
	return result
}

// readString returns an attribute's value as it reads; of what is no string its octets.
func readString(tag cryptobyte_asn1.Tag, value []byte) string {
	text := string(value)
	switch tag {
	case cryptobyte_asn1.UTF8String, cryptobyte_asn1.PrintableString, cryptobyte_asn1.IA5String, 18, 26: // NumericString, VisibleString
	case cryptobyte_asn1.T61String: // as Latin-1, which is what is meant
		runes := make([]rune, len(value))
		for i, octet := range value {
			runes[i] = rune(octet)
		}
		text = string(runes)
	case 28: // UniversalString
		runes := make([]rune, len(value)/4)
		for i := range runes {
			runes[i] = rune(binary.BigEndian.Uint32(value[4*i:]))
		}
		text = string(runes)
	case 30: // BMPString
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		text = string(utf16.Decode(units))
	default:
		return string([]byte{byte(tag)}) + text
	}
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}

// text returns the whole name as one text.
func (n name) text() string { return strings.Join(n, "\x01") }

// isWithin reports whether a name begins with all of another one.
func (n name) isWithin(base name) bool {
	return len(base) <= len(n) && slices.Equal(n[:len(base)], base)
}
