package certpath

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"net/url"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The forms of a GeneralName (RFC 5280 section 4.2.1.6), by their tags.
const (
	formOther     = 0
	formMail      = 1
	formDNS       = 2
	formDirectory = 4
	formURI       = 6
	formIP        = 7
)

// generalName is a GeneralName's content. Of an otherName it is the kind of name only.
type generalName struct {
	form  int
	value []byte
}

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidEmailAddress   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	oidSmtpUTF8       = []byte{0x2b, 6, 1, 5, 5, 7, 8, 9} // id-on-SmtpUTF8Mailbox, RFC 9598 section 3
)

// readGeneralName reads the next name of a sequence.
func readGeneralName(input *cryptobyte.String) (generalName, bool) {
	var content cryptobyte.String
	var tag cryptobyte_asn1.Tag
	if !input.ReadAnyASN1(&content, &tag) || tag&0xc0 != 0x80 {
		return generalName{}, false
	}
	n := generalName{form: int(tag & 0x1f), value: content}
	switch n.form {
	case formDirectory: // the one with an explicit tag, being a CHOICE
		var inner cryptobyte.String
		if !content.ReadASN1Element(&inner, cryptobyte_asn1.SEQUENCE) || !content.Empty() {
			return generalName{}, false
		}
		n.value = inner
	case formOther:
		var kind, wrapped, mailbox cryptobyte.String
		if !content.ReadASN1(&kind, cryptobyte_asn1.OBJECT_IDENTIFIER) {
			return generalName{}, false
		}
		n.value = kind
		// An internationalized address is bound by what is said of addresses (RFC 9598
		// section 6); its domain is in ASCII as theirs.
		if bytes.Equal(kind, oidSmtpUTF8) && content.ReadASN1(&wrapped, 0xa0) && wrapped.ReadASN1(&mailbox, cryptobyte_asn1.UTF8String) {
			n = generalName{formMail, mailbox}
		}
	}
	return n, true
}

// namesOf returns what a certificate is for: its alternative names, its subject, and the
// addresses in that. RFC 5280 section 4.2.1.10 binds the latter only where there are no
// alternative names; but whoever reads mail takes them for addresses in any case.
func namesOf(cert *x509.Certificate) (names []generalName, ok bool) {
	if len(cert.Subject.Names) > 0 {
		names = append(names, generalName{formDirectory, cert.RawSubject})
	}
	for _, attribute := range cert.Subject.Names {
		if address, isText := attribute.Value.(string); isText && attribute.Type.Equal(oidEmailAddress) {
			names = append(names, generalName{formMail, []byte(address)})
		}
	}
	for _, extension := range cert.Extensions {
		if !extension.Id.Equal(oidSubjectAltName) {
			continue
		}
		input := cryptobyte.String(extension.Value)
		var sequence cryptobyte.String
		if !input.ReadASN1(&sequence, cryptobyte_asn1.SEQUENCE) {
			return nil, false
		}
		for !sequence.Empty() {
			name, ok := readGeneralName(&sequence)
			if !ok {
				return nil, false
			}
			names = append(names, name)
		}
	}
	return names, true
}

// String shows a name to people.
func (n generalName) String() string {
	switch n.form {
	case formMail, formDNS, formURI:
		return string(n.value)
	case formDirectory:
		return strings.Join(readName(n.value).values(), ", ")
	case formIP:
		return "an IP address"
	}
	return "a name of another form"
}

// values returns the attributes' values.
func (n name) values() []string {
	var values []string
	for _, attributes := range n {
		for attribute := range strings.SplitSeq(attributes, "\x00") {
			_, value, _ := strings.Cut(attribute, "=")
			values = append(values, value)
		}
	}
	return values
}

// sameForm reports whether a constraint is about names such as this one.
func (n generalName) sameForm(base generalName) bool {
	return n.form == base.form && (n.form != formOther || bytes.Equal(n.value, base.value))
}

// within tells whether a name is within a subtree of the same form (RFC 5280 section
// 4.2.1.10). known is false where that cannot be told: such constraints are not
// supported, or not on such a name.
func (n generalName) within(base generalName) (inside, known bool) {
	switch n.form {
	case formMail:
		return withinMail(string(n.value), string(base.value)), true
	case formDNS:
		below := "." + strings.TrimPrefix(string(base.value), ".")
		return strings.EqualFold(string(n.value), string(base.value)) || withinHost(string(n.value), below), true
	case formDirectory:
		return readName(n.value).isWithin(readName(base.value)), true
	case formURI:
		u, err := url.Parse(string(n.value))
		if err != nil || u.Hostname() == "" {
			return false, false
		}
		return withinHost(u.Hostname(), string(base.value)), true
	case formIP:
		return withinNet(n.value, base.value), true
	}
	return false, false
}

// withinNet: a constraint is an address and a mask.
func withinNet(address, base []byte) bool {
	if 2*len(address) != len(base) {
		return false
	}
	network, mask := base[:len(address)], base[len(address):]
	for i := range address {
		if (address[i]^network[i])&mask[i] != 0 {
			return false
		}
	}
	return true
}

// withinMail: a constraint with a local part is one mailbox; one without is a host or,
// with a leading dot, what is below it; an empty one is everything.
func withinMail(address, base string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || base == "" {
		return base == ""
	}
	if i := strings.LastIndexByte(base, '@'); i >= 0 {
		return address[:at] == base[:i] && strings.EqualFold(address[at:], base[i:])
	}
	return withinHost(address[at+1:], base)
}

// withinHost: a constraint is one host or, with a leading dot, all below it.
func withinHost(host, base string) bool {
	if strings.HasPrefix(base, ".") {
		return len(host) > len(base) && strings.EqualFold(host[len(host)-len(base):], base)
	}
	return strings.EqualFold(host, base)
}
