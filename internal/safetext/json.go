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
	encoder := json.NewEncoder(escaper{out})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	return encoder.Encode(value)
}

// escaper escapes what a [json.Encoder] writes, which is a whole value at a time.
type escaper struct{ out io.Writer }

func (e escaper) Write(data []byte) (int, error) {
	if _, err := e.out.Write(EscapeJSON(data)); err != nil {
		return 0, err
	}
	return len(data), nil
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
