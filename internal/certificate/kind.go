package certificate

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Kind names what a file holds that is not a certificate, with its article.
type Kind string

// The kinds that somebody has to do something about; the others have only a name.
const (
	// KindPrivateKey is a private key in whatever form. It has no place in a file of
	// certificates, and nothing of it is shown.
	KindPrivateKey Kind = "a private key"
	// KindRequest is a certification request (RFC 2986).
	KindRequest Kind = "a certificate request"
	// KindPage is a web page or another answer of a server, saved in the place of a file.
	KindPage Kind = "a web page"
)

const (
	kindPKCS7  Kind = "a PKCS#7"
	kindPKCS12 Kind = "a PKCS#12"

	kindSignedData Kind = "a PKCS#7 without its type"
	kindPath       Kind = "a certification path"

	kindCRL       Kind = "a certificate revocation list"
	kindPublicKey Kind = "a public key without a certificate"
	kindSSH       Kind = "an OpenSSH public key"
	kindPGP       Kind = "an OpenPGP key or message"
	kindParameter Kind = "key parameters"

	kindMail Kind = "a mail message, or a part of one"
	kindDump Kind = "a dump in hexadecimal digits"

	kindCardObject Kind = "a data object of a card, not the certificate in it"
)

// KindError is returned for a file that holds something else than certificates.
type KindError struct {
	Kind  Kind
	Label string // of the PEM block, where it says more
}

// Error names the kind. Nothing of the contents is in it.
func (e *KindError) Error() string {
	if e.Label != "" {
		return fmt.Sprintf("%v: it holds %s (%s)", ErrUnreadable, e.Kind, e.Label)
	}
	return fmt.Sprintf("%v: it holds %s", ErrUnreadable, e.Kind)
}

func (e *KindError) Unwrap() error { return ErrUnreadable }

// textKinds are how files begin that are neither PEM nor DER.
func textKinds() []struct {
	begin string
	kind  Kind
} {
	return []struct {
		begin string
		kind  Kind
	}{
		{"putty-user-key-file", KindPrivateKey}, {"age-secret-key-", KindPrivateKey}, {"ssh private key file", KindPrivateKey},
		{"---- begin ssh2 encrypted private key", KindPrivateKey},
		{"\xfe\xed\xfe\xed", "a Java keystore, which keeps private keys"}, {"\xce\xce\xce\xce", "a Java keystore, which keeps private keys"},
		{"ssh-", kindSSH}, {"ecdsa-sha2-", kindSSH}, {"sk-ssh-", kindSSH}, {"sk-ecdsa-", kindSSH}, {"---- begin ssh2 public key", kindSSH},
		{"<!doctype html", KindPage}, {"<html", KindPage}, {"<?xml", "XML"}, {"<", KindPage}, {"{\\rtf", "an RTF document"}, {"{", "JSON"}, {"[", "JSON"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
		{"rar!\x1a\x07", "a RAR archive"}, {"%pdf-", "a PDF document"}, {"\xd0\xcf\x11\xe0", "an Office document"},
		{"\x89png", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"http/1.", KindPage},
		{"\x53\x82", kindCardObject}, {"\x53\x81", kindCardObject}, {"\x70\x82", kindCardObject},
		{"\x00\x00\x00\x00cert", "a Windows certificate store (.sst)"},
		{"certificate:\n    data:", "OpenSSL's text about a certificate, without the certificate"},
		{"certificate request:\n    data:", KindRequest}, {"certificate revocation list", kindCRL},
		{"age-encryption.org/", "a file that age encrypted"},
		{"from: ", kindMail}, {"received: ", kindMail}, {"mime-version: ", kindMail}, {"return-path: ", kindMail}, {"date: ", kindMail}, {"subject: ", kindMail},
		{"to: ", kindMail}, {"delivered-to: ", kindMail}, {"message-id: ", kindMail}, {"content-type: ", kindMail}, {"content-transfer-encoding: ", kindMail},
		{"content-disposition: ", kindMail},
		{"http://", "an address, and not what is there"}, {"https://", "an address, and not what is there"}, {"ldap://", "an address, and not what is there"},
		{"[internetshortcut]", "a link to a page"}, {"00000000: ", kindDump}, {"00000000  ", kindDump}, {"0000000 ", kindDump},
		{"dn,", "a table (CSV)"}, {"cn,", "a table (CSV)"},
	}
}

// kindOfArchive names a file in which something else is packed, "" for none that is known.
// What text stands in it, such as PEM, is only a part.
func kindOfArchive(data []byte) Kind {
	for _, known := range []struct {
		at    int
		magic string
		kind  Kind
	}{
		{257, "ustar", "a tar archive"}, {0, "BZh", "a bzip2 archive"}, {0, "\xfd7zXZ\x00", "an XZ archive"}, {0, "\x28\xb5\x2f\xfd", "a Zstandard archive"},
		{0, "PK\x03\x04", "a ZIP archive"}, {0, "PK\x05\x06", "a ZIP archive"}, {0, "\x1f\x8b", "a gzip archive"}, {0, "MSCF", "a Windows cabinet"},
		{0, "bplist00", "a property list"}, {0, "L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut"}, {0, "SQLite format 3", "a database"},
		{0, "\xff\xfe\x00\x00", "a text in UTF-32"}, {0, "\x00\x00\xfe\xff", "a text in UTF-32"}, {0, "\x7fELF", "a program"}, {0, "MZ", "a program"},
	} {
		if len(data) > known.at && bytes.HasPrefix(data[known.at:], []byte(known.magic)) {
			return known.kind
		}
	}
	return ""
}

// isBeginOrEnd tells a text in which a PEM block stood once: its lines speak of one, but
// with other dashes, such as those of a word processor, or one of the two is missing.
func isBeginOrEnd(text []byte) bool {
	upper := bytes.ToUpper(text)
	for _, word := range []string{"BEGIN CERTIFICATE", "END CERTIFICATE", "BEGIN PKCS7", "END PKCS7", "BEGIN X509 CERTIFICATE", "END X509 CERTIFICATE", "BEGIN CMS", "END CMS"} {
		if bytes.Contains(upper, []byte(word)) {
			return true
		}
	}
	return false
}

// kindOfText names a file by how it begins, "" for none that is known.
func kindOfText(text []byte) Kind {
	const longest = 64
	begin := bytes.TrimLeft(text[:min(len(text), longest)], " \t\r\n")
	begin = bytes.ReplaceAll(bytes.ToLower(begin), []byte("\r\n"), []byte("\n"))
	switch {
	case bytes.Contains(text, pemBegin) && bytes.Contains(text, []byte("PRIVATE KEY-----")): // in JSON, or on one line
		return KindPrivateKey
	case isPGP(text):
		return kindPGP
	}
	for _, known := range textKinds() {
		if bytes.HasPrefix(begin, []byte(known.begin)) || bytes.HasPrefix(text, []byte(known.begin)) {
			return known.kind
		}
	}
	return ""
}

// isPGP reports whether data begins with the packet of an OpenPGP key of version 3 to
// 6 (RFC 9580 sections 4.2 and 5.5).
func isPGP(data []byte) bool {
	if len(data) < 8 {
		return false
	}
	at := map[byte]int{0x94: 2, 0x95: 3, 0x98: 2, 0x99: 3, 0xc5: 2, 0xc6: 2}[data[0]]
	if data[0] >= 0xc0 && data[1] >= 192 { // a length of two octets
		at++
	}
	return at > 0 && data[at] >= 3 && data[at] <= 6
}

// kindOfBlock names what a PEM label (RFC 7468) says, "" where the content is to be read.
func kindOfBlock(label string) Kind {
	switch {
	case strings.Contains(label, "PRIVATE KEY"):
		return KindPrivateKey
	case strings.HasPrefix(label, "PGP "):
		return kindPGP
	}
	switch label {
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "PKCS10":
		return KindRequest
	case "X509 CRL":
		return kindCRL
	case "PUBLIC KEY", "RSA PUBLIC KEY", "EC PUBLIC KEY":
		return kindPublicKey
	case "SSH2 PUBLIC KEY":
		return kindSSH
	case "EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS", "X9.42 DH PARAMETERS":
		return kindParameter
	case "ATTRIBUTE CERTIFICATE":
		return "an attribute certificate"
	case "OCSP RESPONSE":
		return "an OCSP response"
	case "AGE ENCRYPTED FILE":
		return "a file that age encrypted"
	}
	return ""
}

// kindOfDER names a structure by how it begins, "" for one that may be a certificate.
func kindOfDER(der []byte) Kind {
	input := cryptobyte.String(der)
	var body cryptobyte.String
	if !input.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
		return ""
	}
	var first, second, third cryptobyte.String
	var a, b, c cryptobyte_asn1.Tag
	_ = body.ReadAnyASN1(&first, &a) && body.ReadAnyASN1(&second, &b) && body.ReadAnyASN1(&third, &c)
	switch {
	case a == cryptobyte_asn1.OBJECT_IDENTIFIER:
		return kindPKCS7
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.SET:
		return kindSignedData
	case a == cryptobyte_asn1.SEQUENCE && isCertificate(first):
		return kindPath
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.SEQUENCE && first.Empty():
		return ""
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.SEQUENCE && first[len(first)-1] == pfxVersion && second.PeekASN1Tag(cryptobyte_asn1.OBJECT_IDENTIFIER) && c != cryptobyte_asn1.OCTET_STRING:
		return kindPKCS12
	case a == cryptobyte_asn1.INTEGER && (b == cryptobyte_asn1.SEQUENCE || b == cryptobyte_asn1.OCTET_STRING): // PKCS#8 (RFC 5958), SEC 1 (RFC 5915)
		return KindPrivateKey
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.INTEGER && c == cryptobyte_asn1.INTEGER: // RFC 8017 appendix A.1.2
		return KindPrivateKey
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.INTEGER:
		return kindPublicKey
	case a == cryptobyte_asn1.SEQUENCE && b == cryptobyte_asn1.OCTET_STRING: // encrypted PKCS#8
		return KindPrivateKey
	case a == cryptobyte_asn1.SEQUENCE && b == cryptobyte_asn1.BIT_STRING:
		return kindPublicKey
	case a == cryptobyte_asn1.ENUM:
		return "an OCSP response"
	case a == cryptobyte_asn1.SEQUENCE && b == cryptobyte_asn1.SEQUENCE && c == cryptobyte_asn1.BIT_STRING:
		return kindOfSigned(first)
	}
	return ""
}

// isCertificate tells what is in a certificate: two sequences and a signature.
func isCertificate(body cryptobyte.String) bool {
	for _, tag := range []cryptobyte_asn1.Tag{cryptobyte_asn1.SEQUENCE, cryptobyte_asn1.SEQUENCE, cryptobyte_asn1.BIT_STRING} {
		if !body.SkipASN1(tag) {
			return false
		}
	}
	return true
}

// kindOfSigned tells what was signed: a request, a revocation list or, "", a certificate.
func kindOfSigned(body cryptobyte.String) Kind {
	var tags []cryptobyte_asn1.Tag
	for len(tags) < 5 && !body.Empty() {
		var tag cryptobyte_asn1.Tag
		var value cryptobyte.String
		if !body.ReadAnyASN1(&value, &tag) {
			return ""
		}
		tags = append(tags, tag)
	}
	const version, integer, sequence = cryptobyte_asn1.Tag(0xa0), cryptobyte_asn1.INTEGER, cryptobyte_asn1.SEQUENCE
	is := func(want ...cryptobyte_asn1.Tag) bool {
		return len(tags) >= len(want) && slices.Equal(tags[:len(want)], want)
	}
	switch {
	case is(integer, sequence, sequence, version):
		return KindRequest
	case is(integer, sequence, sequence, cryptobyte_asn1.UTCTime), is(integer, sequence, sequence, cryptobyte_asn1.GeneralizedTime),
		is(sequence, sequence, cryptobyte_asn1.UTCTime), is(sequence, sequence, cryptobyte_asn1.GeneralizedTime):
		return kindCRL
	}
	return ""
}

// kindOfContent names a PKCS#7 by its content type (RFC 5652, RFC 5083, RFC 3274).
func kindOfContent(oid asn1.ObjectIdentifier) Kind {
	for _, known := range []struct {
		oid  asn1.ObjectIdentifier
		kind Kind
	}{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, "a PKCS#7 of plain data"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}, "an encrypted message (PKCS#7 EnvelopedData)"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 4}, "an encrypted message (PKCS#7 SignedAndEnvelopedData)"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 5}, "a digest (PKCS#7 DigestedData)"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}, "encrypted data (PKCS#7 EncryptedData)"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 2}, "authenticated data (CMS AuthenticatedData)"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 9}, "compressed data (CMS CompressedData)"},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 23}, "an encrypted message (CMS AuthEnvelopedData)"},
	} {
		if known.oid.Equal(oid) {
			return known.kind
		}
	}
	return Kind("a PKCS#7 of content type " + oid.String())
}
