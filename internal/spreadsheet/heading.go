package spreadsheet

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Heading returns the letters and digits of a column's heading in lower case, without
// accents and what stands in brackets: "Email Address [Required]" is "emailaddress".
func Heading(text string) string {
	text, _, _ = strings.Cut(text, "[")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(text))
}

// IsAddressHeading reports whether a Heading stands over mail addresses, in English, German
// or French; primaryemail is of the Admin console's list of users.
func IsAddressHeading(heading string) bool {
	return slices.Contains([]string{
		"email", "mail", "emailaddress", "mailaddress", "primaryemail", "gmail", "gmailaddress",
		"emailadresse", "mailadresse", "adresseemail", "adressemail", "courriel", "adressecourriel", "adresseelectronique",
	}, heading)
}
