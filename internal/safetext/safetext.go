// Package safetext makes text that came from outside fit to be shown: a name in a
// certificate, a server's message or a file's name could otherwise steer a terminal
// or mislead a reader.
package safetext

import (
	"regexp"
	"strings"
	"unicode"
)

// Clean returns a text as one line of printable characters: line breaks and tabs
// become spaces, other control and invisible characters (see [Hidden]) and octets
// that are not UTF-8 become "?".
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case Hidden(r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, text)
}

// Hidden reports whether a character does something instead of being seen: control
// and format characters (Unicode Cc and Cf, which holds the bidirectional
// overrides), and line and paragraph separators.
func Hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// maxMessage bounds what is shown of a server's message, in characters, and
// maxLooked what is looked at, in bytes.
const (
	maxMessage = 600
	maxLooked  = 64 << 10
)

// escapes are control sequences and control strings (ECMA-48, 5.4 and 5.6), and
// escape sequences of two characters.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|[P\]X^_][^\x07\x1b]*(\x07|\x1b\\)?|.)`)

// Message returns the beginning of a server's message without escape sequences and
// hidden characters, and with single spaces.
func Message(text string) string {
	text = strings.ToValidUTF8(escapes.ReplaceAllString(text[:min(len(text), maxLooked)], ""), "")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if characters := []rune(text); len(characters) > maxMessage {
		text = string(characters[:maxMessage]) + "…"
	}
	return text
}
