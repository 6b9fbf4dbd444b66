package safetext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// EncodeJSON writes a value as JSON, with indent for each level or on one line, and
// a line break. A reader gets every text as it is; hidden characters are written as
// escapes, so that what is written can be shown on a terminal.
func EncodeJSON(out io.Writer, value any, indent string) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := out.Write(EscapeJSON(buffer.Bytes()))
	return err
}

// EscapeJSON returns the same JSON, with hidden characters in its texts as escapes.
func EscapeJSON(data []byte) []byte {
	if !bytes.ContainsFunc(data, hiddenInJSON) {
		return data
	}
	var out bytes.Buffer
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch high, low := utf16.EncodeRune(r); {
		case !hiddenInJSON(r):
			out.Write(data[:size])
		case high == utf8.RuneError:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		}
		data = data[size:]
	}
	return out.Bytes()
}

// hiddenInJSON tells characters that encoding/json leaves as they are in a text.
// Those below the space stand between the texts.
func hiddenInJSON(r rune) bool { return r > ' ' && Hidden(r) }
