package baseline

import (
	"regexp"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// The types of other names that are known here: SmtpUTF8Mailbox (RFC 9598), and
// Microsoft's user principal name.
const (
	otherMailbox   = "1.3.6.1.5.5.7.8.9"
	otherPrincipal = "1.3.6.1.4.1.311.20.2.3"
)

// The longest parts of an address, in octets (RFC 5321 section 4.5.3.1.1, RFC 1035 section 2.3.4).
const maxLocal, maxDomain = 64, 253

// isMailbox tells whether a text is a mail address (RFC 5321 section 4.1.2) whose domain
// is written as RFC 1123 section 2.1 asks for.
func isMailbox(text string) bool {
	local := localOf(text)
	return (safetext.IsAddress(text) || quotedLocal.MatchString(local)) && len(local) <= maxLocal && isDomain(domainOf(text))
}

// quotedLocal is a local part with quotation marks around it, and what may stand in them (RFC 5321
// section 4.1.2).
var quotedLocal = regexp.MustCompile(`^"(?:[ !#-\[\]-~]|\\[ -~])*"$`)

// looksLikeMailbox tells whether a text may be meant as an address.
func looksLikeMailbox(text string) bool {
	return safetext.IsAddress(text) && strings.Contains(text, "@")
}

// domainOf returns what stands behind the last @; "" where there is none.
func domainOf(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return address[i+1:]
	}
	return ""
}

// localOf returns what stands before the last @; "" where there is none.
func localOf(address string) string {
	return address[:max(strings.LastIndexByte(address, '@'), 0)]
}

// isDomain tells whether a text is a domain name of A-labels.
func isDomain(domain string) bool {
	if domain == "" || len(domain) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// isInternal tells whether nobody on the internet can have a domain: its last label is
// none that was delegated.
func isInternal(domain string) bool {
	suffix, managed := publicsuffix.PublicSuffix(strings.ToLower(strings.TrimSuffix(domain, ".")))
	return domain == "" || !managed && !strings.Contains(suffix, ".")
}

// checkMailbox looks at an rfc822Name.
func (c *checker) checkMailbox(address string) {
	domain := domainOf(address)
	if !isMailbox(address) {
		c.report("smbr-mailbox", "%s in its subject alternative name is no mail address", shorten(address))
	}
	if local := localOf(address); len(local) > maxLocal {
		c.report("smbr-local-part-length", "the local part of an address in its subject alternative name has %d octets; %d are allowed", len(local), maxLocal)
	}
	if len(domain) > maxDomain {
		c.report("smbr-domain-length", "the domain of an address in its subject alternative name has %d octets; %d are allowed", len(domain), maxDomain)
	} else if isInternal(domain) {
		c.report("smbr-internal-domain", "the domain %q of an address in its subject alternative name is not known on the internet", domain)
	}
}

// checkOtherName looks at an otherName.
func (c *checker) checkOtherName(n generalName) {
	switch {
	case n.other == otherMailbox:
		c.checkUTF8Mailbox(n.text)
	case c.profile.Generation == Strict:
		c.report("smbr-san-other-name", "its subject alternative name has an otherName of the type %s; the strict generation allows SmtpUTF8Mailbox only", n.other)
	}
	if n.other == otherPrincipal && (strings.Count(n.text, "@") != 1 || strings.HasPrefix(n.text, "@") || strings.HasSuffix(n.text, "@")) {
		c.report("smbr-upn", "the user principal name %s has not the form name@domain", shorten(n.text))
	}
}

// checkUTF8Mailbox looks at an SmtpUTF8Mailbox (RFC 9598 section 3).
func (c *checker) checkUTF8Mailbox(address string) {
	domain := domainOf(address)
	if local := localOf(address); len(local) > maxLocal {
		c.report("smbr-local-part-length", "the local part of an SmtpUTF8Mailbox has %d octets; %d are allowed", len(local), maxLocal)
	}
	switch {
	case len(domain) > maxDomain:
		c.report("smbr-domain-length", "the domain of an SmtpUTF8Mailbox has %d octets; %d are allowed", len(domain), maxDomain)
		return
	case isInternal(domain):
		c.report("smbr-internal-domain", "the domain %q of an SmtpUTF8Mailbox is not known on the internet", domain)
	}
	switch {
	case !strings.Contains(address, "@"):
		c.report("smbr-utf8-mailbox", "the SmtpUTF8Mailbox %s has no @", shorten(address))
	case strings.HasPrefix(address, "\ufeff"):
		c.report("smbr-utf8-mailbox", "an SmtpUTF8Mailbox begins with a byte order mark")
	case isASCII(address[:len(address)-len(domain)]):
		c.report("smbr-utf8-mailbox-ascii", "the SmtpUTF8Mailbox %s has a local part of ASCII alone, and should be an rfc822Name", shorten(address))
	}
	if domain == "" {
		return
	}
	if domain != strings.ToLower(domain) {
		c.report("smbr-utf8-mailbox-domain", "the domain of the SmtpUTF8Mailbox %s has upper-case letters", shorten(address))
	}
	if _, err := idna.Punycode.ToUnicode(domain); err != nil || !isDomain(domain) {
		c.report("smbr-utf8-mailbox-domain", "the domain of the SmtpUTF8Mailbox %s is not written in A-labels", shorten(address))
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e })
}

// shorten shows what may be far too long.
func shorten(text string) string {
	const most = 80
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
