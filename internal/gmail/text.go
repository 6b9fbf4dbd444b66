package gmail

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// maxText bounds what is shown of a server's message, in runes.
const maxText = 600

// clean makes text from outside fit to be shown: no escape sequences, no control
// or invisible formatting characters, single spaces, bounded.
func clean(s string) string {
	if len(s) > 64<<10 {
		s = s[:64<<10]
	}
	s = strings.ToValidUTF8(ansi.Strip(s), "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText]) + "…"
	}
	return s
}

// credential finds access tokens and signed assertions in texts.
var credential = regexp.MustCompile(`(?i)\bbearer +[^\s"',;<>]{8,}|\bya29\.[\w.~+/=-]+|\beyJ[\w-]+(\.[\w-]*){1,2}`)

// mask takes out credentials: an answer may repeat the request that it is to,
// above all that of a proxy.
func mask(s string) string { return credential.ReplaceAllString(s, "[credential]") }
