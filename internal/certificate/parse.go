// Package certificate reads and writes the files of X.509 certificates and requests,
// of whoever and for whatever purpose; what a chain is and what Gmail asks of one is
// package smime's. It reads what authorities, cards and directories hand out, within
// bounds: whatever the octets are, reading them takes little time and memory, and so
// does verifying what was read.
//
// Sources: RFC 5280 (certificates), RFC 5652 and RFC 8551 section 3.8
// (certificates-only PKCS#7), RFC 7292 (PKCS#12), RFC 7468 (PEM), RFC 2986 (requests),
// RFC 2849 (LDIF), RFC 6350 (vCard).
package certificate

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// ErrUnreadable is wrapped by the errors of [Parse] and [ParseRequest].
var ErrUnreadable = errors.New("not a certificate file")

// Parse reads certificates in whichever form they are handed out, in the order of
// the file:
//
//   - PEM blocks with any text around them; the content of a block counts, not which of
//     a certificate's or PKCS#7's labels it has;
//   - DER certificates one after the other, and what follows the last one;
//   - PKCS#7 in DER or BER, also without its ContentInfo; PKCS#12 with an empty password or
//     none; a PkiPath (X.509 section 10.1);
//   - a Windows certificate store (.sst);
//   - any of these in base64 or hexadecimal digits; the values of an LDIF export or a vCard;
//   - text in UTF-8 or UTF-16.
//
// Requests, revocation lists, public keys and parameters beside certificates are passed
// over; a [*KindError] names anything else, a private key above all, [ErrPassword] is a
// PKCS#12 that needs a password, and a [*TooLargeError] what is beyond the bounds.
func Parse(data []byte) ([]*x509.Certificate, error) { return ParseWithPassword(data, secret.Secret{}) }

// ParseWithPassword is [Parse] with the password for a PKCS#12. The private keys in it
// are neither decrypted nor kept.
func ParseWithPassword(data []byte, password secret.Secret) ([]*x509.Certificate, error) {
	return (&reader{password: password}).read(data)
}

func (r *reader) read(data []byte) ([]*x509.Certificate, error) {
	if err := r.file(data); err != nil {
		return nil, err
	}
	if len(r.list) == 0 {
		if r.passedOver != "" {
			return nil, &KindError{Kind: r.passedOver}
		}
		return nil, fmt.Errorf("%w: it holds no certificate", ErrUnreadable)
	}
	return r.list, nil
}

// MalformedError is returned for what may be meant as a certificate, and is refused by
// crypto/x509.
type MalformedError struct {
	DER    []byte
	Err    error // why
	Number int   // of the file's certificates, from 1
}

// Error says why, and which one it is where others stand before it.
func (e *MalformedError) Error() string {
	if e.Number > 1 {
		return fmt.Sprintf("%v: certificate %d: %v", ErrUnreadable, e.Number, e.Err)
	}
	return fmt.Sprintf("%v: %v", ErrUnreadable, e.Err)
}

// Unwrap returns [ErrUnreadable] and the reason.
func (e *MalformedError) Unwrap() []error { return []error{ErrUnreadable, e.Err} }

// reader reads one file.
type reader struct {
	password   secret.Secret
	known      *Reader // nil where nothing is remembered
	list       []*x509.Certificate
	small      bool             // so that no certificate in it can hold many values, of two octets or more each
	keys       *[]crypto.Signer // of a PKCS#12; nil where nobody asked for them
	work       int              // that was spent on the passwords of one PKCS#12, in rounds of PBKDF2
	values     int              // that certificates were counted to hold
	passedOver Kind             // something that is no certificate
}

func (r *reader) file(data []byte) error {
	r.small = len(data) <= 2*maxCertificateValues
	switch {
	case len(data) == 0:
		return fmt.Errorf("%w: it is empty", ErrUnreadable)
	case len(data) > MaxFile:
		return &TooLargeError{"the file's size in bytes", MaxFile}
	case isDER(data):
		return r.der(data)
	case bytes.HasPrefix(data, storeBegin):
		return r.store(data)
	}
	if kind := kindOfArchive(data); kind != "" {
		return &KindError{Kind: kind}
	}
	return r.text(toText(data), true)
}

// text reads a text; encoded tells whether a text may be encoded in it once more.
func (r *reader) text(text []byte, encoded bool) error {
	found, err := blocks(text)
	switch {
	case err != nil:
		return err
	case beginsKey(text):
		return &KindError{Kind: KindPrivateKey}
	case len(found) > 0:
		r.list = slices.Grow(r.list, len(found))
		for i, block := range found {
			if err := r.block(i, block); err != nil {
				return err
			}
		}
		return nil
	case isDirectory(text):
		return r.directory(text)
	}
	if kind := kindOfText(text); kind != "" {
		return &KindError{Kind: kind}
	}
	for _, decode := range []func([]byte) ([]byte, bool){fromHex, fromBase64} {
		content, ok := decode(text)
		switch {
		case !ok:
		case isDER(content):
			return r.der(content)
		case bytes.HasPrefix(content, storeBegin):
			return r.store(content)
		case kindOfText(content) != "":
			return &KindError{Kind: kindOfText(content)}
		case encoded && isPrintable(content): // such as a PEM in a Kubernetes secret
			return r.text(content, false)
		}
	}
	if isBeginOrEnd(text) {
		return fmt.Errorf("%w: the first or last line of a PEM block, with its five dashes on each side, is damaged or missing", ErrUnreadable)
	}
	if isBase64URL(text) {
		return &KindError{Kind: "base64url, which is for addresses, not for files"}
	}
	return fmt.Errorf("%w: it is neither PEM nor DER nor base64", ErrUnreadable)
}

// isDER tells a structure in DER or BER from a text that begins with a zero, "0".
func isDER(data []byte) bool {
	return len(data) > 3 && data[0] == tagSequence && (data[1] >= indefinite || bytes.IndexByte([]byte{2, 6, 10, tagSequence}, data[2]) >= 0 && !isPrintable(data[:min(len(data), 16)]))
}

// isPrintable reports whether data is a text in ASCII.
func isPrintable(data []byte) bool {
	return !bytes.ContainsFunc(data, func(r rune) bool { return r < '\t' || r > '~' })
}

const tagSequence = 0x30

// der reads structures one after the other. What follows the last one is passed over,
// as OpenSSL does, where it does not begin another structure or a PEM block.
func (r *reader) der(data []byte) error {
	for first := true; ; first = false {
		data = bytes.TrimLeft(data, "\x00")
		if trimmed := bytes.TrimLeft(data, "\r\n"); !first && !isDER(data) && isDER(trimmed) {
			data = trimmed
		}
		if !first && (len(data) == 0 || data[0] != tagSequence) {
			if bytes.Contains(data, pemBegin) {
				return fmt.Errorf("%w: PEM follows what is in DER; give each in a file of its own", ErrUnreadable)
			}
			return nil
		}
		kind, value, rest, err := firstValue(data)
		if err != nil {
			return fmt.Errorf("%w: it is damaged or cut off: %w", ErrUnreadable, err)
		}
		if first || !isTrustSettings(value) {
			if err := r.value(kind, value); err != nil {
				return err
			}
		}
		data = rest
	}
}

// firstValue returns the first structure of data in DER, and of what kind it is. A
// certificate's octets stay as they are, or its signature would not be about them.
func firstValue(data []byte) (kind Kind, der, rest []byte, err error) {
	input := cryptobyte.String(data)
	var whole cryptobyte.String
	if input.ReadASN1Element(&whole, cryptobyte_asn1.SEQUENCE) {
		if kind = kindOfDER(whole); kind != kindPKCS7 && kind != kindPKCS12 {
			return kind, whole, input, nil
		}
	}
	if der, rest, err = toDER(data); err != nil {
		return "", nil, nil, err
	}
	return kindOfDER(der), der, rest, nil
}

// isTrustSettings reports whether a structure is what OpenSSL puts behind a certificate in
// DER: it begins, where they are there, with the purposes that the certificate is trusted for.
func isTrustSettings(der cryptobyte.String) bool {
	var body, purposes cryptobyte.String
	if !der.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
		return false
	}
	for _, tag := range []cryptobyte_asn1.Tag{cryptobyte_asn1.UTF8String, cryptobyte_asn1.OCTET_STRING, tagContent} { // its name, its key's identifier, what it is not trusted for
		if body.PeekASN1Tag(tag) {
			return true
		}
	}
	if !body.ReadASN1(&purposes, cryptobyte_asn1.SEQUENCE) || purposes.Empty() {
		return false
	}
	for !purposes.Empty() {
		if !purposes.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER) {
			return false
		}
	}
	return true
}

// value reads one structure of that kind.
func (r *reader) value(kind Kind, der []byte) error {
	switch kind {
	case kindPKCS7:
		return r.signedData(der)
	case kindSignedData:
		return r.signed(der)
	case kindPath:
		input := cryptobyte.String(der)
		var body cryptobyte.String
		if !input.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
			return fmt.Errorf("%w: a certification path is damaged", ErrUnreadable)
		}
		return r.certificates(body)
	case kindPKCS12:
		return r.pkcs12(der)
	case "":
		return r.certificate(der)
	case KindPrivateKey:
		return &KindError{Kind: kind}
	default:
		r.passedOver = kind
		return nil
	}
}

// certificate reads one certificate that can be worked with.
func (r *reader) certificate(der []byte) error {
	if cert := r.known.get(der); cert != nil {
		return r.add(cert)
	}
	if !r.small {
		values := countValues(der, 0, maxCertificateValues)
		if r.values += values; values > maxCertificateValues || r.values > maxValues {
			return &TooLargeError{"a certificate with many thousands of names and other values", maxCertificateValues}
		}
	}
	cert, err := ParseDER(der)
	if err != nil {
		return &MalformedError{der, err, len(r.list) + 1}
	}
	if !endsWithSignature(der) {
		return fmt.Errorf("%w: octets follow the signature", ErrUnreadable)
	}
	if err := CheckSize(cert); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	r.known.keep(der, cert)
	return r.add(cert)
}

// add adds a certificate to what was read.
func (r *reader) add(cert *x509.Certificate) error {
	if len(r.list) == maxCertificates {
		return errTooMany()
	}
	r.list = append(r.list, cert)
	return nil
}

// endsWithSignature reports whether the signature is the last thing in a certificate
// (RFC 5280 section 4.1). What follows it nobody signed, and crypto/x509 passes it over:
// the same certificate would have as many fingerprints as one likes.
func endsWithSignature(der cryptobyte.String) bool {
	var inside cryptobyte.String
	return der.ReadASN1(&inside, cryptobyte_asn1.SEQUENCE) &&
		inside.SkipASN1(cryptobyte_asn1.SEQUENCE) && inside.SkipASN1(cryptobyte_asn1.SEQUENCE) &&
		inside.SkipASN1(cryptobyte_asn1.BIT_STRING) && inside.Empty()
}
