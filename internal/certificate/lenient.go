package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ParseDER parses one certificate in DER, within no other bounds than those of its size, which
// callers have. crypto/x509 refuses some that other programs take: those with an
// elliptic curve that it does not know, with characters in a name that its kind of string has
// not, and with extensions that must not be critical. They are parsed with other octets in their
// place, of the same length, and are then what stands in the file: without a public key where the
// curve is unknown, as with other unknown keys.
func ParseDER(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		return cert, nil
	}
	masked := mask(der)
	if bytes.Equal(masked, der) {
		return nil, err
	}
	again, second := x509.ParseCertificate(masked)
	if second != nil {
		return nil, err
	}
	for _, field := range []*[]byte{&again.RawTBSCertificate, &again.RawSubjectPublicKeyInfo, &again.RawSubject, &again.RawIssuer} {
		at := offset(again.Raw, *field)
		*field = der[at : at+len(*field)]
	}
	again.Raw = der
	for i, extension := range readFields(der).extensions {
		if of := &again.Extensions[i]; !of.Critical && len(criticalOf(extension)) > 0 {
			of.Critical = true // whoever verifies a path refuses it, as those do who parse it
			again.UnhandledCriticalExtensions = append(again.UnhandledCriticalExtensions, of.Id)
		}
	}
	return again, nil
}

// offset is where a part of octets begins in them.
func offset(octets, part []byte) int { return cap(octets) - cap(part) }

// mask returns a certificate with other octets in the place of those that crypto/x509 refuses.
func mask(der []byte) []byte {
	masked := bytes.Clone(der)
	fields := readFields(masked)
	for _, name := range []cryptobyte.String{fields.issuer, fields.subject} {
		for _, value := range attributeValues(name) {
			if isRefusedString(value) {
				value[0] = byte(cryptobyte_asn1.T61String)
			}
		}
	}
	if hasOtherCurve(fields.keyInfo) {
		id := []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1} // id-ecPublicKey, the first thing in it
		fields.keyInfo[bytes.Index(fields.keyInfo, id)+len(id)-1] = 0x7f
	}
	for _, extension := range fields.extensions {
		var id asn1.ObjectIdentifier
		if body := extension; body.ReadASN1ObjectIdentifier(&id) && slices.Contains([]string{"2.5.29.14", "2.5.29.35", "1.3.6.1.5.5.7.1.1"}, id.String()) {
			clear(criticalOf(extension))
		}
	}
	return masked
}

// fields are parts of a certificate as they are encoded, empty where it cannot be read so far.
type fields struct {
	issuer, subject, keyInfo cryptobyte.String
	extensions               []cryptobyte.String // what is in each
}

// readFields reads the parts of a certificate (RFC 5280 section 4.1).
func readFields(der []byte) (f fields) {
	input := cryptobyte.String(der)
	var whole, body, list cryptobyte.String
	version, tagged := cryptobyte_asn1.Tag(0xa0), cryptobyte_asn1.Tag(0xa3)
	const sequence = cryptobyte_asn1.SEQUENCE
	if !input.ReadASN1(&whole, sequence) || !whole.ReadASN1(&body, sequence) || !body.SkipOptionalASN1(version) || !body.SkipASN1(cryptobyte_asn1.INTEGER) ||
		!body.SkipASN1(sequence) || !body.ReadASN1Element(&f.issuer, sequence) || !body.SkipASN1(sequence) || !body.ReadASN1Element(&f.subject, sequence) ||
		!body.ReadASN1Element(&f.keyInfo, sequence) {
		return fields{}
	}
	body.SkipOptionalASN1(cryptobyte_asn1.Tag(1).ContextSpecific())
	body.SkipOptionalASN1(cryptobyte_asn1.Tag(2).ContextSpecific())
	if !body.ReadASN1(&list, tagged) || !list.ReadASN1(&list, sequence) {
		return f
	}
	for !list.Empty() {
		var extension cryptobyte.String
		if !list.ReadASN1(&extension, sequence) {
			break
		}
		f.extensions = append(f.extensions, extension)
	}
	return f
}

// KeyInfo returns the SubjectPublicKeyInfo of a certificate in DER, nil where there is none.
func KeyInfo(der []byte) []byte { return readFields(der).keyInfo }

// criticalOf returns the octet that says that an extension is critical; nothing where it is not.
func criticalOf(extension cryptobyte.String) []byte {
	var critical cryptobyte.String
	if !extension.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER) || !extension.ReadASN1(&critical, cryptobyte_asn1.BOOLEAN) || !bytes.Equal(critical, []byte{0xff}) {
		return nil
	}
	return critical
}

// attributeValues returns the values of a name, as they are encoded.
func attributeValues(name cryptobyte.String) (values []cryptobyte.String) {
	name.ReadASN1(&name, cryptobyte_asn1.SEQUENCE)
	for !name.Empty() {
		var set, attribute, value cryptobyte.String
		var tag cryptobyte_asn1.Tag
		if !name.ReadASN1(&set, cryptobyte_asn1.SET) {
			return values
		}
		for !set.Empty() {
			if !set.ReadASN1(&attribute, cryptobyte_asn1.SEQUENCE) || !attribute.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER) || !attribute.ReadAnyASN1Element(&value, &tag) {
				return values
			}
			values = append(values, value)
		}
	}
	return values
}

// isRefusedString reports whether crypto/x509 refuses an attribute's value: it has characters
// that its kind of string does not have, or is of a kind that is hardly used, such as
// UniversalString.
func isRefusedString(value cryptobyte.String) bool {
	var text cryptobyte.String
	var tag cryptobyte_asn1.Tag
	if !value.ReadAnyASN1(&text, &tag) {
		return false
	}
	switch tag {
	case cryptobyte_asn1.PrintableString:
		return !IsPrintableString(string(text))
	case cryptobyte_asn1.UTF8String:
		return !utf8.Valid(text)
	case cryptobyte_asn1.IA5String:
		return strings.ContainsFunc(string(text), func(r rune) bool { return r > 0x7f })
	case 18: // NumericString
		return strings.Trim(string(text), "0123456789 ") != ""
	case 30: // BMPString
		return len(text)%2 != 0
	}
	return tag != cryptobyte_asn1.T61String
}

// IsPrintableString reports whether a text has but the characters of a PrintableString (X.680
// section 41.4), or & and *, which are often in one.
func IsPrintableString(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" '()+,-./:=?&*", r)
	})
}
