package certificate

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ldifAttributes are the attributes with certificates, by name and by number (RFC 4523 section 2). A
// user's certificate may be in a PKCS#7 (RFC 2798 section 2.8).
var ldifAttributes = bytes.Fields([]byte("userCertificate cACertificate crossCertificatePair userSMIMECertificate 2.5.4.36 2.5.4.37 2.5.4.40 2.16.840.1.113730.3.1.40"))

var (
	// ldifBegin is how an export of a directory begins (RFC 2849): a version, a comment,
	// a name or, where somebody copied a part, the value itself.
	ldifBegin = regexp.MustCompile(`(?i)^\s*(?:(?:#[^\r\n]*[\r\n]|version:[^\r\n]*[\r\n])\s*)*(?:dn::?|(?:usercertificate|cacertificate|crosscertificatepair|usersmimecertificate)(?:;[-a-z0-9;]+)?:)`)

	vcardBegin = regexp.MustCompile(`(?i)^\s*begin:vcard`)
	// vcardKey is what stands before a key in base64, as versions 2.1, 3 and 4 write it (RFC 6350 section 6.8.1).
	vcardKey = regexp.MustCompile(`(?i)^(?:[-a-z0-9]+\.)?key(?:(?:;[^:\n]*)?;(?:encoding=)?(?:b|base64)(?:;[^:\n]*)?:|(?:;[^:\n]*)?:data:[^,\n]*;base64,)`)
)

// isDirectory tells an LDIF or a vCard.
func isDirectory(text []byte) bool { return ldifBegin.Match(text) || vcardBegin.Match(text) }

// directory reads the certificates that a directory's export has as attributes. A private key in
// one of the others is refused.
func (r *reader) directory(text []byte) error {
	// A line that begins with a blank goes on with the one before it.
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\n "), nil), []byte("\n\t"), nil)
	what, valueOf := Kind("an LDIF export"), ldifValue
	if vcardBegin.Match(text) {
		what, valueOf = "a vCard", vcardValue
	}
	for line := range bytes.Lines(text) {
		value, known := valueOf(line)
		if known && bytes.HasPrefix(value, []byte("<")) {
			return fmt.Errorf("%w: %s that names files instead of holding certificates", ErrUnreadable, what)
		}
		value = without(value, " \t\n")
		der, err := base64.StdEncoding.AppendDecode(nil, value)
		switch {
		case !known && err == nil && isDER(der) && kindOfDER(der) == KindPrivateKey:
			return &KindError{Kind: KindPrivateKey}
		case !known || len(value) == 0:
		case err != nil:
			return fmt.Errorf("%w: %s with a value that is no base64", ErrUnreadable, what)
		default:
			if err := r.directoryValue(der); err != nil {
				return err
			}
		}
	}
	if len(r.list) == 0 {
		return &KindError{Kind: what + " without certificates"}
	}
	return nil
}

// ldifValue returns what a line has as a value in base64, and whether its attribute is one with
// certificates.
func ldifValue(line []byte) (value []byte, known bool) {
	attribute, value, _ := bytes.Cut(line, []byte(":"))
	name, _, _ := bytes.Cut(attribute, []byte(";"))
	inBase64 := bytes.HasPrefix(value, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(":"))
	for _, one := range ldifAttributes {
		if bytes.EqualFold(name, one) {
			return value, true
		}
	}
	if !inBase64 {
		return nil, false
	}
	return value, false
}

// vcardValue is the same of a vCard.
func vcardValue(line []byte) (value []byte, known bool) {
	if at := vcardKey.FindIndex(line); at != nil {
		return line[at[1]:], true
	}
	return nil, false
}

// directoryValue reads one value.
func (r *reader) directoryValue(value []byte) error {
	switch {
	case !isDER(value):
		return r.text(toText(value), false)
	case !isCertificatePair(value):
		return r.der(value)
	}
	input := cryptobyte.String(value)
	input.ReadASN1(&input, cryptobyte_asn1.SEQUENCE)
	for !input.Empty() { // issuedToThisCA, issuedByThisCA
		var one cryptobyte.String
		var tag cryptobyte_asn1.Tag
		if !input.ReadAnyASN1(&one, &tag) {
			return fmt.Errorf("%w: a pair of certificates is damaged", ErrUnreadable)
		}
		if err := r.der(one); err != nil {
			return err
		}
	}
	return nil
}

// isCertificatePair tells a CertificatePair of cross-certificates (RFC 4523 section 2.3).
func isCertificatePair(value cryptobyte.String) bool {
	return value.ReadASN1(&value, cryptobyte_asn1.SEQUENCE) && (value.PeekASN1Tag(0xa0) || value.PeekASN1Tag(0xa1))
}
