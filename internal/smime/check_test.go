package smime_test

import (
	"unicode"
	"unicode/utf8"
)

func printableText(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return utf8.ValidString(s)
}
