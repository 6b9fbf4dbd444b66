package certificate

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// toText returns a text as UTF-8 with line feeds, without a byte order mark and
// without what mail puts before and behind lines. Windows writes UTF-16, with a mark
// or without. Data that is no text comes back as it is.
func toText(data []byte) []byte {
	if order, marked := utf16Order(data); order != nil {
		data = fromUTF16(data[marked:], order)
	} else {
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	if !bytes.Contains(data, pemBegin) {
		return data
	}
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	if !isIndented(data) {
		return data
	}
	out := make([]byte, 0, len(data))
	for line := range bytes.Lines(data) {
		out = append(append(out, bytes.Trim(line, "> \t\n")...), '\n')
	}
	return out
}

// isIndented reports whether there may be something before or behind a line.
func isIndented(text []byte) bool {
	return bytes.IndexByte(text, '>') >= 0 || bytes.IndexByte(text, '\t') >= 0 ||
		bytes.Contains(text, []byte("\n ")) || bytes.Contains(text, []byte(" \n")) || bytes.HasPrefix(text, []byte(" ")) || bytes.HasSuffix(text, []byte(" "))
}

// utf16Order returns the byte order of a text in UTF-16, nil for anything else, and the
// size of its mark. Without a mark it has to begin with letters, signs or blanks.
func utf16Order(data []byte) (order binary.ByteOrder, mark int) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return binary.LittleEndian, 2
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return binary.BigEndian, 2
	case len(data) < 8:
		return nil, 0
	}
	ascii := func(order binary.ByteOrder) bool {
		for i := 0; i < 8; i += 2 {
			if c := order.Uint16(data[i:]); c < '\t' || c > '~' {
				return false
			}
		}
		return true
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
// without its padding.
func fromBase64(text []byte) ([]byte, bool) {
	text = bytes.TrimRight(text, "\x00\x1a \t\r\n")
	packed := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			packed = append(packed, c)
		}
	}
	packed = bytes.TrimRight(packed, "=")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
	n, err := base64.RawStdEncoding.Decode(out, packed)
	return out[:n], err == nil && n > 0
}

// isBase64URL tells base64 for URLs (RFC 4648 section 5) of some length.
func isBase64URL(text []byte) bool {
	text = bytes.TrimSpace(text)
	_, err := base64.RawURLEncoding.Decode(make([]byte, len(text)), bytes.TrimRight(text, "="))
	return err == nil && len(text) > 64
}
