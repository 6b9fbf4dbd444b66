package certificate

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// toText returns a text as UTF-8 without a byte order mark. Windows writes UTF-16, with a
// mark or without. Data that is no text comes back as it is.
func toText(data []byte) []byte {
	if order, marked := utf16Order(data); order != nil {
		return fromUTF16(data[marked:], order)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
}

// utf16Order returns the byte order of a text in UTF-16, nil for anything else, and the
// size of its mark. Without a mark three in four of its first characters have to be ASCII.
func utf16Order(data []byte) (order binary.ByteOrder, mark int) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return binary.LittleEndian, 2
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return binary.BigEndian, 2
	case len(data) < 8:
		return nil, 0
	}
	const looked = 64 // octets
	ascii := func(order binary.ByteOrder) bool {
		units, plain := min(len(data), looked)/2, 0
		for i := range units {
			if c := order.Uint16(data[2*i:]); c >= '\t' && c <= '~' {
				plain++
			}
		}
		return 4*plain >= 3*units
	}
	switch {
	case ascii(binary.LittleEndian):
		return binary.LittleEndian, 0
	case ascii(binary.BigEndian):
		return binary.BigEndian, 0
	}
	return nil, 0
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	out := make([]byte, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		r := rune(order.Uint16(data))
		if utf16.IsSurrogate(r) && len(data) >= 4 {
			r = utf16.DecodeRune(r, rune(order.Uint16(data[2:])))
			data = data[2:]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// fromBase64 decodes a text that is nothing but base64 in lines of any length, with or
// without its padding, perhaps quoted or as a data URL (RFC 2397).
func fromBase64(text []byte) ([]byte, bool) {
	if head, rest, found := bytes.Cut(text, []byte(";base64,")); found && bytes.HasPrefix(head, []byte("data:")) {
		text = rest
	}
	packed := without(bytes.Trim(text, "\x00\x1a \t\r\n\"'"), " \t\r\n")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
	decoded := 0
	for part := range bytes.FieldsFuncSeq(packed, func(r rune) bool { return r == '=' }) { // the padding ends a value, and another one may follow
		n, err := base64.RawStdEncoding.Decode(out[decoded:], part)
		if decoded += n; err != nil {
			return nil, false
		}
	}
	return out[:decoded], decoded > 0
}

// fromHex decodes a text that is nothing but hexadecimal digits, as card software and
// databases write values: with blanks, colons or a prefix.
func fromHex(text []byte) ([]byte, bool) {
	packed := without(bytes.Trim(text, "\x00\x1a \t\r\n\"'"), " \t\r\n:-")
	for _, prefix := range []string{"0x", "0X", "\\x", "X'", "x'"} {
		packed = bytes.TrimPrefix(packed, []byte(prefix))
	}
	out := make([]byte, hex.DecodedLen(len(packed)))
	n, err := hex.Decode(out, packed)
	return out[:n], err == nil && n > 0
}

// without returns a text without those characters.
func without(text []byte, characters string) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if strings.IndexByte(characters, c) < 0 {
			out = append(out, c)
		}
	}
	return out
}

// isBase64URL tells base64 for URLs (RFC 4648 section 5) of some length.
func isBase64URL(text []byte) bool {
	text = bytes.TrimSpace(text)
	_, err := base64.RawURLEncoding.Decode(make([]byte, len(text)), bytes.TrimRight(text, "="))
	return err == nil && len(text) > 64
}
