package safetext

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAddress bounds a mail address, in octets (RFC 5321 section 4.5.3.1.3, without the
// brackets).
const maxAddress = 254

// IsAddress reports whether a text is a bare mail address (RFC 5322 addr-spec) that can
// be shown as it is: without quotes and comments, and with nothing hidden in it.
func IsAddress(text string) bool {
	local, domain, found := strings.Cut(text, "@")
	return found && len(text) <= maxAddress && utf8.ValidString(text) && isDotAtom(local) && (isDotAtom(domain) || isLiteral(domain))
}

// isDotAtom reports whether a text is words with a dot between them (RFC 5322 section
// 3.2.3), of any letters (RFC 6532 section 3.2).
func isDotAtom(text string) bool {
	special := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(` ()<>[]:;@\,"`, r) }
	for word := range strings.SplitSeq(text, ".") {
		if word == "" || strings.ContainsFunc(word, special) {
			return false
		}
	}
	return true
}

// isLiteral reports whether a text is an IP address in the place of a domain (RFC 5322
// section 3.4.1).
func isLiteral(domain string) bool {
	inside, opened := strings.CutPrefix(domain, "[")
	inside, closed := strings.CutSuffix(inside, "]")
	ip, err := netip.ParseAddr(inside)
	return opened && closed && err == nil && ip.Zone() == ""
}
