package baseline

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// checkSubject measures the subject.
func (c *checker) checkSubject() {
	subject, ok := readName(c.cert.RawSubject)
	if !ok {
		c.report("smbr-encoding", "its subject is malformed")
		return
	}
	c.checkName("subject", subject)
	addresses := c.mailboxes()
	for _, address := range subject.values(idEmail) {
		if !contains(addresses, address) {
			c.report("smbr-subject-email", "the address %s in its subject is not in the subject alternative name", address)
		}
		if !isMailbox(address) {
			c.reportAt("smbr-mailbox", "subject", "%s in its subject is no mail address", address)
		}
	}
}

// checkName measures the subject, or a directoryName that stands for the same.
func (c *checker) checkName(where string, n name) {
	c.checkTypes(where, n)
	c.checkValues(where, n)
	c.checkCommonName(where, n)
	c.checkOrganizationIdentifier(where, n)
}

// checkTypes looks at which types of attributes are there (SMBR sections 7.1.4.2.3 to
// 7.1.4.2.6).
func (c *checker) checkTypes(where string, n name) {
	for _, rdn := range n {
		seen := map[string]bool{}
		for _, a := range rdn {
			if seen[a.id] {
				c.reportAt("smbr-rdn", where, "a part of its name has the attribute %s twice", attributeName(a.id))
			}
			seen[a.id] = true
		}
		if len(rdn) > 1 {
			c.reportAt("smbr-rdn", where, "a part of its name has several attributes")
		}
	}
	if c.profile == (Profile{}) {
		return
	}
	seen := map[string]bool{}
	for _, a := range n.attributes() {
		if !seen[a.id] && !c.profile.allows(a.id) {
			c.reportAt("smbr-attribute-prohibited", where, "its name has the attribute %s, which its profile does not allow", attributeName(a.id))
		}
		seen[a.id] = true
	}
	person := n.has(idSurname) || n.has(idGivenName) || n.has(idPseudonym)
	if c.profile.is(Organization, Sponsored) {
		for _, id := range []string{idOrganization, idOrganizationIdentifier} {
			if !n.has(id) {
				c.reportAt("smbr-attribute-missing", where, "its name lacks the attribute %s", attributeName(id))
			}
		}
	}
	if c.profile.is(Sponsored, Individual) && !person && (c.profile.modern() || !n.has(idCommonName)) {
		c.reportAt("smbr-attribute-missing", where, "its name lacks the person's surname, given name or pseudonym")
	}
	if n.has(idPseudonym) && (n.has(idSurname) || n.has(idGivenName)) {
		c.reportAt("smbr-pseudonym", where, "its name has a pseudonym beside a surname or given name")
	}
	if n.has(idStreet) && !n.has(idLocality) && !n.has(idState) {
		c.reportAt("smbr-attribute-dependency", where, "its name has a street and neither locality nor state")
	}
	for _, id := range []string{idLocality, idState, idPostalCode} {
		if n.has(id) && !n.has(idCountry) {
			c.reportAt("smbr-attribute-dependency", where, "its name has the attribute %s and no country", attributeName(id))
		}
	}
}

// allows tells whether a name may have an attribute of the type.
func (p Profile) allows(id string) bool {
	switch id {
	case idCommonName, idSerialNumber, idEmail:
		return true
	case idOrganization, idOrganizationIdentifier, idUnit:
		return p.is(Organization, Sponsored)
	case idGivenName, idSurname, idPseudonym, idTitle:
		return p.is(Sponsored, Individual)
	case idStreet, idPostalCode:
		return p.Validation != Mailbox && p.Generation != Strict
	case idLocality, idState, idCountry:
		return p.Validation != Mailbox
	}
	return p.Validation != Mailbox && p.Generation == Legacy
}

// checkValues looks at the values of the attributes (SMBR section 7.1.4.2.2).
func (c *checker) checkValues(where string, n name) {
	addresses := c.mailboxes()
	for _, a := range n.attributes() {
		switch {
		case isInsignificant(a.text):
			c.reportAt("smbr-attribute-insignificant", where, "the value %q of the attribute %s says nothing", a.text, attributeName(a.id))
		case strings.TrimSpace(a.text) != a.text:
			c.reportAt("smbr-attribute-space", where, "the value %q of the attribute %s begins or ends with a space", a.text, attributeName(a.id))
		}
		if most := mostCharacters(a.id); most > 0 && utf8.RuneCountInString(a.text) > most {
			c.reportAt("smbr-attribute-length", where, "the attribute %s has %d characters; %d are allowed", attributeName(a.id), utf8.RuneCountInString(a.text), most)
		}
		if strings.ContainsFunc(a.text, unicode.IsControl) {
			c.reportAt("smbr-encoding", where, "the value %q of the attribute %s has control characters", a.text, attributeName(a.id))
		}
		if a.tag == cryptobyte_asn1.PrintableString && !certificate.IsPrintableString(a.text) {
			c.reportAt("smbr-encoding", where, "the value %q of the attribute %s has characters that a PrintableString does not have", a.text, attributeName(a.id))
		}
		if html.UnescapeString(a.text) != a.text {
			c.reportAt("smbr-attribute-entity", where, "the value %q of the attribute %s has an HTML entity", a.text, attributeName(a.id))
		}
		judged := a.id == idEmail && where == "subject" || a.id == idCommonName && c.profile.bindsCommonName()
		if !judged && looksLikeMailbox(a.text) && !contains(addresses, a.text) {
			c.reportAt("smbr-attribute-email", where, "the address %s in the attribute %s is not in the subject alternative name", a.text, attributeName(a.id))
		}
		if a.id == idCountry && !isCountry(a.text) && a.text != "XX" {
			c.reportAt("smbr-country", where, "%q is no country of ISO 3166-1", a.text)
		}
		if !a.hasSyntax() {
			c.reportAt("smbr-encoding", where, "the attribute %s is not of the kind of string that it has to be", attributeName(a.id))
		}
	}
}

// mostCharacters is the upper bound of an attribute's value, 0 where there is none (RFC 5280
// appendix A.1).
func mostCharacters(id string) int {
	switch id {
	case idCommonName, idOrganization, idUnit, idTitle, idSerialNumber:
		return 64
	case idLocality, idState, idPseudonym:
		return 128
	case idEmail:
		return 255
	}
	return 0
}

// isInsignificant tells whether a value only says that there is none: it has neither letters nor
// digits, or says so in words.
func isInsignificant(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) ||
		slices.Contains([]string{"n/a", "not applicable"}, strings.ToLower(strings.TrimSpace(text)))
}

// checkCommonName looks where the common name comes from (SMBR section 7.1.4.2.2 (a)).
func (c *checker) checkCommonName(where string, n name) {
	if !c.profile.bindsCommonName() {
		known := n.values(idPseudonym)
		for _, common := range n.values(idCommonName) {
			if len(known) > 0 && !slices.Contains(known, common) && !looksLikeMailbox(common) && !isPersonalName(common, n) {
				c.reportAt("smbr-common-name", where, "its common name %s is not its pseudonym", common)
			}
		}
		return
	}
	for _, common := range n.values(idCommonName) {
		known := isInsignificant(common) || contains(c.mailboxes(), common)
		switch {
		case c.profile.is(Organization):
			known = known || slices.Contains(n.values(idOrganization), common)
		case c.profile.is(Sponsored, Individual):
			known = known || slices.Contains(n.values(idPseudonym), common) || isPersonalName(common, n)
		}
		if !known {
			c.reportAt("smbr-common-name", where, "its common name %s is %s", common, c.profile.noCommonName())
		}
	}
}

// bindsCommonName tells whether it says where a common name comes from. The legacy
// generation leaves the form of a person's name open.
func (p Profile) bindsCommonName() bool {
	return p != (Profile{}) && !(p.Generation == Legacy && p.is(Sponsored, Individual))
}

// noCommonName says what a common name is not that has no source.
func (p Profile) noCommonName() string {
	switch p.Validation {
	case Organization:
		return "neither one of its addresses nor its organization"
	case Sponsored, Individual:
		return "neither one of its addresses, nor made of its surname and given name, nor its pseudonym"
	}
	return "none of its addresses"
}

// isPersonalName tells whether a text has a given name or surname of a name, in any
// case: how a person's name is put together differs from country to country.
func isPersonalName(text string, n name) bool {
	return slices.ContainsFunc(slices.Concat(n.values(idGivenName), n.values(idSurname)), func(part string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(part))
	})
}

// mailboxes returns the addresses of the subject alternative name.
func (c *checker) mailboxes() (list []string) {
	for _, n := range c.names {
		if n.tag == tagMail || n.other == otherMailbox {
			list = append(list, n.text)
		}
	}
	return list
}

func contains(addresses []string, address string) bool {
	return slices.ContainsFunc(addresses, func(a string) bool { return smime.SameAddress(a, address) })
}

// checkAlternativeNames measures the subject alternative name (SMBR section 7.1.4.2.1).
func (c *checker) checkAlternativeNames() {
	extension := c.extension(2, 5, 29, 17)
	if extension.Id == nil {
		c.report("smbr-san-missing", "it has no subject alternative name")
		return
	}
	if c.malformed {
		c.reportAt("smbr-encoding", "extensions.subjectAltName", "its subject alternative name is malformed")
	}
	switch empty := len(c.cert.Subject.Names) == 0; {
	case empty && !extension.Critical:
		c.report("smbr-san-critical", "its subject is empty, and its subject alternative name is not critical")
	case !empty && extension.Critical:
		c.report("smbr-san-critical", "its subject alternative name is critical, although it has a subject")
	}
	if len(c.mailboxes()) == 0 {
		c.report("smbr-san-mailbox", "its subject alternative name has no address")
	}
	for _, n := range c.names {
		switch n.tag {
		case tagMail:
			c.checkMailbox(n.text)
		case tagDirectory:
			c.checkName("extensions.subjectAltName", n.name)
		case tagOtherName:
			c.checkOtherName(n)
		case tagDNS, tagURI, tagIP, tagRegistered, tagX400, tagEDI:
			c.report("smbr-san-type", "its subject alternative name has a %s", [...]string{
				tagDNS: "dNSName", tagX400: "x400Address", tagEDI: "ediPartyName", tagURI: "uniformResourceIdentifier", tagIP: "iPAddress", tagRegistered: "registeredID",
			}[n.tag])
		default:
			c.report("smbr-san-type", "its subject alternative name has a name of the unknown form %d", n.tag)
		}
	}
}
