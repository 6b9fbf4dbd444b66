package baseline

import (
	"cmp"
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// attribute is one of a name.
type attribute struct {
	id   string // the type's object identifier
	tag  cryptobyte_asn1.Tag
	text string
}

// The attribute types that the requirements tell apart (RFC 5280 appendix A.1, X.520).
const (
	idCommonName, idSurname, idSerialNumber  = "2.5.4.3", "2.5.4.4", "2.5.4.5"
	idCountry, idLocality, idState, idStreet = "2.5.4.6", "2.5.4.7", "2.5.4.8", "2.5.4.9"
	idOrganization, idUnit, idTitle          = "2.5.4.10", "2.5.4.11", "2.5.4.12"
	idPostalCode, idGivenName, idPseudonym   = "2.5.4.17", "2.5.4.42", "2.5.4.65"
	idOrganizationIdentifier                 = "2.5.4.97"
	idEmail                                  = "1.2.840.113549.1.9.1"
	idDomainComponent                        = "0.9.2342.19200300.100.1.25"
)

// attributeName names an attribute's type as X.520 does; an unknown one by its
// identifier.
func attributeName(id string) string {
	names := map[string]string{
		idCommonName: "commonName", idSurname: "surname", idSerialNumber: "serialNumber", idCountry: "countryName", idLocality: "localityName",
		idState: "stateOrProvinceName", idStreet: "streetAddress", idOrganization: "organizationName", idUnit: "organizationalUnitName",
		idTitle: "title", idPostalCode: "postalCode", idGivenName: "givenName", idPseudonym: "pseudonym",
		idOrganizationIdentifier: "organizationIdentifier", idEmail: "emailAddress", "2.5.4.13": "description", idDomainComponent: "domainComponent",
		"0.9.2342.19200300.100.1.1": "userId",
	}
	return cmp.Or(names[id], id)
}

// hasSyntax tells whether an attribute is of the kind of string that its type asks for (RFC 5280
// appendix A.1). The organizationIdentifier has a rule of its own.
func (a attribute) hasSyntax() bool {
	switch a.id {
	case idEmail, idDomainComponent:
		return a.tag == cryptobyte_asn1.IA5String
	case idCountry, idSerialNumber:
		return a.tag == cryptobyte_asn1.PrintableString
	case idCommonName, idSurname, idLocality, idState, idStreet, idOrganization, idUnit, idTitle, idPostalCode, idGivenName, idPseudonym:
		return slices.Contains([]cryptobyte_asn1.Tag{cryptobyte_asn1.PrintableString, cryptobyte_asn1.UTF8String, cryptobyte_asn1.T61String, bmpString, universalString}, a.tag)
	}
	return true
}

// name is a distinguished name: its relative ones, each with its attributes.
type name [][]attribute

// readName reads a Name (RFC 5280 section 4.1.2.4); ok is false where it is malformed.
func readName(der []byte) (list name, ok bool) {
	input, rdns := cryptobyte.String(der), cryptobyte.String(nil)
	if !input.ReadASN1(&rdns, cryptobyte_asn1.SEQUENCE) {
		return nil, false
	}
	for !rdns.Empty() {
		var set cryptobyte.String
		if !rdns.ReadASN1(&set, cryptobyte_asn1.SET) {
			return nil, false
		}
		var rdn []attribute
		for !set.Empty() {
			var pair, value cryptobyte.String
			var id asn1.ObjectIdentifier
			var tag cryptobyte_asn1.Tag
			if !set.ReadASN1(&pair, cryptobyte_asn1.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&id) || !pair.ReadAnyASN1(&value, &tag) {
				return nil, false
			}
			rdn = append(rdn, attribute{id.String(), tag, readText(tag, value)})
		}
		list = append(list, rdn)
	}
	return list, true
}

// The tags of a text in UTF-16 and in UTF-32.
const bmpString, universalString = cryptobyte_asn1.Tag(30), cryptobyte_asn1.Tag(28)

func readText(tag cryptobyte_asn1.Tag, value []byte) string {
	if tag == universalString {
		var text []rune
		for ; len(value) >= 4; value = value[4:] {
			text = append(text, rune(binary.BigEndian.Uint32(value)))
		}
		return string(text)
	}
	if tag != bmpString {
		return string(value)
	}
	units := make([]uint16, len(value)/2)
	for i := range units {
		units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
	}
	return string(utf16.Decode(units))
}

// attributes returns all of them, in order.
func (n name) attributes() (list []attribute) {
	for _, rdn := range n {
		list = append(list, rdn...)
	}
	return list
}

// values returns those of one type.
func (n name) values(id string) (list []string) {
	for _, a := range n.attributes() {
		if a.id == id {
			list = append(list, a.text)
		}
	}
	return list
}

func (n name) has(id string) bool { return len(n.values(id)) > 0 }

// The tags of general names (RFC 5280 section 4.2.1.6).
const (
	tagOtherName, tagMail, tagDNS, tagX400, tagDirectory, tagEDI, tagURI, tagIP, tagRegistered = 0, 1, 2, 3, 4, 5, 6, 7, 8
)

// generalName is one of an extension's.
type generalName struct {
	tag   int
	text  string // of rfc822Name, dNSName, URI and otherName of a UTF-8 text
	other string // the type of an otherName
	name  name   // of directoryName
}

// readGeneralNames reads GeneralNames; malformed where the rest cannot be read.
func readGeneralNames(der []byte) (list []generalName, malformed bool) {
	if len(der) == 0 {
		return nil, false
	}
	input, names := cryptobyte.String(der), cryptobyte.String(nil)
	if !input.ReadASN1(&names, cryptobyte_asn1.SEQUENCE) {
		return nil, true
	}
	for !names.Empty() {
		var value cryptobyte.String
		var tag cryptobyte_asn1.Tag
		if !names.ReadAnyASN1(&value, &tag) {
			return list, true
		}
		general := generalName{tag: int(tag & 0x1f), text: string(value)}
		switch general.tag {
		case tagDirectory:
			var ok bool
			if general.name, ok = readName(value); !ok {
				return list, true
			}
		case tagOtherName:
			var id asn1.ObjectIdentifier
			var inner, text cryptobyte.String
			if !value.ReadASN1ObjectIdentifier(&id) || !value.ReadASN1(&inner, cryptobyte_asn1.Tag(0).ContextSpecific().Constructed()) {
				return list, true
			}
			general.other, general.text = id.String(), ""
			if inner.ReadASN1(&text, cryptobyte_asn1.UTF8String) {
				general.text = string(text)
			}
		}
		list = append(list, general)
	}
	return list, false
}
