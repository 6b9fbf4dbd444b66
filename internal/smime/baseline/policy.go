package baseline

import (
	"encoding/asn1"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/unicode/norm"

	"github.com/cse-piv/cse-piv/internal/format"
)

// endOfLegacy is the day from which no certificate of the legacy generation may be
// issued (SMBR section 7.1.6.1).
var endOfLegacy = time.Date(2025, 7, 15, 0, 0, 0, 0, time.UTC)

// maxNotice is the longest text of a user notice, in characters (RFC 5280 section 4.2.1.4).
const maxNotice = 200

func (c *checker) checkPolicies() {
	extension := c.extension(2, 5, 29, 32)
	switch profiles := profilesOf(c.cert); {
	case extension.Id == nil:
		c.report("smbr-policies-missing", "it has no certificate policies")
	case len(profiles) == 0:
		c.report("smbr-policy", "none of its certificate policies is one of the CA/Browser Forum's for S/MIME (2.23.140.1.5.x.y)")
	case len(profiles) > 1:
		c.report("smbr-policy-several", "it has %d of the CA/Browser Forum's policies for S/MIME; exactly one is allowed", len(profiles))
	}
	if extension.Critical {
		c.report("smbr-policies-critical", "its certificate policies are critical")
	}
	if c.profile.Generation == Legacy && !c.cert.NotBefore.Before(endOfLegacy) {
		c.report("smbr-legacy", "it is of the legacy generation, and was issued after %s", format.Day(endOfLegacy))
	}
	seen := map[string]bool{}
	for _, policy := range c.cert.Policies {
		id := policy.String()
		switch {
		case id == "2.5.29.32.0":
			c.report("smbr-any-policy", "one of its certificate policies is anyPolicy")
		case seen[id]:
			c.report("smbr-policy-twice", "it has the policy %s twice", id)
		}
		seen[id] = true
	}
	c.checkQualifiers(extension.Value)
}

// checkQualifiers looks at the qualifiers of the policies (RFC 5280 section 4.2.1.4).
func (c *checker) checkQualifiers(der cryptobyte.String) {
	var policies cryptobyte.String
	if !der.ReadASN1(&policies, cryptobyte_asn1.SEQUENCE) {
		return
	}
	for !policies.Empty() {
		var policy, qualifiers cryptobyte.String
		var id asn1.ObjectIdentifier
		var has bool
		if !policies.ReadASN1(&policy, cryptobyte_asn1.SEQUENCE) || !policy.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER) ||
			!policy.ReadOptionalASN1(&qualifiers, &has, cryptobyte_asn1.SEQUENCE) {
			return
		}
		if has {
			c.report("smbr-policy-qualifier", "one of its policies has a qualifier; an identifier alone is recommended")
		}
		for !qualifiers.Empty() {
			var qualifier, value cryptobyte.String
			var tag cryptobyte_asn1.Tag
			if !qualifiers.ReadASN1(&qualifier, cryptobyte_asn1.SEQUENCE) || !qualifier.ReadASN1ObjectIdentifier(&id) || !qualifier.ReadAnyASN1(&value, &tag) {
				return
			}
			switch id.String() {
			case "1.3.6.1.5.5.7.2.1":
				if tag != cryptobyte_asn1.IA5String {
					c.reportAt("smbr-encoding", "extensions.certificatePolicies", "the address of its practice statement is no IA5String")
				}
				if scheme := schemeOf(string(value)); scheme != "http" && scheme != "https" {
					c.report("smbr-cps", "the address of its practice statement, %s, is neither http nor https", string(value))
				}
			case "1.3.6.1.5.5.7.2.2":
				c.checkNotice(value)
			}
		}
	}
}

// checkNotice looks at a user notice.
func (c *checker) checkNotice(notice cryptobyte.String) {
	if notice.PeekASN1Tag(cryptobyte_asn1.SEQUENCE) {
		c.report("smbr-user-notice", "a user notice of its policies has a reference (noticeRef)")
		notice.SkipASN1(cryptobyte_asn1.SEQUENCE)
	}
	var text cryptobyte.String
	var tag cryptobyte_asn1.Tag
	if !notice.ReadAnyASN1(&text, &tag) {
		c.report("smbr-user-notice", "a user notice of its policies has no text (explicitText)")
		return
	}
	if tag != cryptobyte_asn1.UTF8String {
		c.report("smbr-user-notice", "the text of a user notice of its policies is no UTF8String")
	}
	if said := readText(tag, text); utf8.RuneCountInString(said) > maxNotice || !norm.NFC.IsNormalString(said) {
		c.report("smbr-user-notice", "the text of a user notice of its policies has more than %d characters, or accents that stand beside their letters", maxNotice)
	}
	if strings.ContainsFunc(readText(tag, text), func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }) {
		c.report("smbr-user-notice", "the text of a user notice of its policies has control characters")
	}
}
