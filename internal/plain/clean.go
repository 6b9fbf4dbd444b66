package plain

import (
	"strings"
	"unicode"
)

// Clean returns text that came from outside without what could steer a
// terminal or mislead a reader: control and format characters (Unicode Cc and
// Cf, which holds the bidirectional overrides) become "?", and line breaks
// become spaces.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, text)
}
