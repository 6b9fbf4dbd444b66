package certificate

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
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

	kindEncrypted  Kind = "a PEM block that is encrypted"
	kindText       Kind = "a text about a certificate, without the certificate"
	kindJavaStore  Kind = "a Java keystore, which keeps private keys"
	kindAttributes Kind = "an attribute certificate"

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

// Unwrap returns ErrUnreadable.
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
		{"\x1e\xf1\xb5\xb0", KindPrivateKey}, {"\x07\x02\x00\x00", KindPrivateKey}, {"\x06\x02\x00\x00", kindPublicKey}, // .pvk, and the blobs of Windows
		{"\xfe\xed\xfe\xed", kindJavaStore}, {"\xce\xce\xce\xce", kindJavaStore},
		{"\x00\x00\x00\x01\x00\x00\x00\x14", kindJavaStore}, {"\x00\x00\x00\x02\x00\x00\x00\x14", kindJavaStore}, // Bouncy Castle's
		{"ssh-", kindSSH}, {"ecdsa-sha2-", kindSSH}, {"sk-ssh-", kindSSH}, {"sk-ecdsa-", kindSSH}, {"---- begin ssh2 public key", kindSSH},
		{"<!doctype html", KindPage}, {"<html", KindPage}, {"<head", KindPage}, {"<body", KindPage}, {"<!--", KindPage}, {"<", "XML"}, {"{\\rtf", "an RTF document"}, {"{", "JSON"}, {"[", "JSON"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
		{"rar!\x1a\x07", "a RAR archive"}, {"%pdf-", "a PDF document"}, {"\xd0\xcf\x11\xe0", "an Office document"},
		{"\x89png", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"http/1.", KindPage},
		{"\x53\x82", kindCardObject}, {"\x53\x81", kindCardObject}, {"\x70\x82", kindCardObject},
		{"certificate:\n    data:", kindText}, {"owner: ", kindText}, {"x509 certificate:", kindText}, {"================ certificate", kindText}, // openssl, keytool, certutil
		{"certificate request:\n    data:", KindRequest}, {"certificate revocation list", kindCRL},
		{"age-encryption.org/", "a file that age encrypted"},
		{"from: ", kindMail}, {"received: ", kindMail}, {"mime-version: ", kindMail}, {"return-path: ", kindMail}, {"date: ", kindMail}, {"subject: ", kindMail},
		{"to: ", kindMail}, {"delivered-to: ", kindMail}, {"message-id: ", kindMail}, {"content-type: ", kindMail}, {"content-transfer-encoding: ", kindMail},
		{"content-disposition: ", kindMail},
		{"http://", "an address, and not what is there"}, {"https://", "an address, and not what is there"}, {"ldap://", "an address, and not what is there"},
		{"[internetshortcut]", "a link to a page"}, {"00000000: ", kindDump}, {"00000000  ", kindDump}, {"0000000 ", kindDump}, {"0000  ", kindDump}, {"0000\t", kindDump},
		{"windows registry editor", "a part of the Windows registry"}, {"regedit4", "a part of the Windows registry"},
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
		{0, "\x00\x06\x15\x61", "a database"}, {0, "\x61\x15\x06\x00", "a database"}, // Berkeley DB
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

// beginsKey tells a text with the first line of a private key, of whichever dashes a word
// processor or a mail program has left.
func beginsKey(text []byte) bool {
	for key := []byte(" PRIVATE KEY"); ; { // a blank is rare in base64: that there is none is found soon
		at := bytes.Index(text, key)
		if at < 0 {
			return false
		}
		before := text[max(0, at-maxLabel) : at+1]
		begins, kind := bytes.LastIndex(before, []byte("BEGIN ")), before
		if begins >= 0 {
			kind = before[begins+len("BEGIN "):]
		}
		if begins >= 0 && !bytes.ContainsFunc(kind, func(r rune) bool { return r != ' ' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
			return true
		}
		text = text[at+len(key):]
	}
}

// kindOfText names a file by how it begins, "" for none that is known.
func kindOfText(text []byte) Kind {
	const longest = 64
	begin := bytes.TrimLeft(text[:min(len(text), longest)], " \t\r\n")
	begin = bytes.ReplaceAll(bytes.ToLower(begin), []byte("\r\n"), []byte("\n"))
	switch {
	case beginsKey(text), bytes.Contains(text, []byte("<RSAKeyValue")) && bytes.Contains(text, []byte("<D>")): // .NET's XML
		return KindPrivateKey
	case bytes.HasPrefix(begin, []byte("{")) || bytes.HasPrefix(begin, []byte("[")):
		if kind := kindOfKeyInJSON(text); kind != "" {
			return kind
		}
	}
	if kind := kindOfPGP(text); kind != "" {
		return kind
	}
	for _, known := range textKinds() {
		if bytes.HasPrefix(begin, []byte(known.begin)) || bytes.HasPrefix(text, []byte(known.begin)) {
			return known.kind
		}
	}
	return ""
}

var (
	jsonKey    = regexp.MustCompile(`"kty"\s*:`)
	jsonSecret = regexp.MustCompile(`"[dk]"\s*:\s*"`)
)

// kindOfKeyInJSON names a JSON Web Key (RFC 7517, RFC 7518 section 6), or a set of them.
func kindOfKeyInJSON(text []byte) Kind {
	switch isKey := jsonKey.Match(text); {
	case isKey && jsonSecret.Match(text):
		return KindPrivateKey
	case isKey:
		return "a JSON Web Key"
	}
	return ""
}

// kindOfPGP names data that begins with a packet of OpenPGP of a version from 3 to 6: a
// key, a signature or a message (RFC 9580 sections 4.2 and 5); "" for anything else.
func kindOfPGP(data []byte) Kind {
	if len(data) < 8 {
		return ""
	}
	packet, at := data[0]>>2&0xf, 2
	switch {
	case data[0] >= 0xc0: // the newer form
		if packet = data[0] & 0x3f; data[1] >= 192 { // a length of two octets
			at++
		}
	case data[0] < 0x80 || data[0]&3 > 1:
		return ""
	default: // the older form, with a length of one octet or two
		at += int(data[0] & 3)
	}
	switch version := data[at]; {
	case version < 3 || version > 6:
	case packet == 5:
		return KindPrivateKey
	case packet == 1 || packet == 2 || packet == 6:
		return kindPGP
	}
	return ""
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
		return kindAttributes
	case "OCSP RESPONSE":
		return "an OCSP response"
	case "AGE ENCRYPTED FILE":
		return "a file that age encrypted"
	}
	return ""
}
