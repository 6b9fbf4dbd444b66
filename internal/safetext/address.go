package safetext

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAddress bounds a mail address, in octets (RFC 5321 section 4.5.3.1.3, without the
// brackets).
const maxAddress = 254

// IsAddress reports whether a text is a bare mail address (RFC 5322 addr-spec) that can
// be shown as it is.
func IsAddress(text string) bool {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(text) > maxAddress || !strings.Contains(text, "@") || !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) || strings.Contains(text, "  ") {
		return false
	}
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}
