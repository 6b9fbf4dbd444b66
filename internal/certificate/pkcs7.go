package certificate

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Tags of ContentInfo's content and of the optional fields of SignedData (RFC 5652
// sections 3 and 5.1).
const (
	tagContent      = cryptobyte_asn1.Tag(0xa0) // [0] EXPLICIT
	tagCertificates = cryptobyte_asn1.Tag(0xa0) // [0] IMPLICIT
	tagCRLs         = cryptobyte_asn1.Tag(0xa1) // [1] IMPLICIT
)

func oidSignedData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} }

// isContentInfo tells a PKCS#7 from a certificate: a SEQUENCE that begins with
// an object identifier.
func isContentInfo(data []byte) bool {
	if len(data) > 2 && data[0] == 0x30 && data[1] == indefinite {
		return true
	}
	input := cryptobyte.String(data)
	var body cryptobyte.String
	return input.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) && body.PeekASN1Tag(cryptobyte_asn1.OBJECT_IDENTIFIER)
}

func parseSignedData(data []byte) ([]*x509.Certificate, error) {
	der, err := definite(data)
	if err != nil {
		return nil, fmt.Errorf("%w: PKCS#7: %w", ErrUnreadable, err)
	}
	malformed := func(what string) ([]*x509.Certificate, error) {
		return nil, fmt.Errorf("%w: PKCS#7: malformed %s", ErrUnreadable, what)
	}
	input := cryptobyte.String(der)
	var info, content, signed, body cryptobyte.String
	var kind, encapsulated asn1.ObjectIdentifier
	if !input.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) {
		return malformed("ContentInfo")
	}
	if !input.Empty() {
		return nil, fmt.Errorf("%w: %d octets follow the PKCS#7", ErrUnreadable, len(input))
	}
	if !kind.Equal(oidSignedData()) {
		return nil, fmt.Errorf("%w: PKCS#7 content type %v is not SignedData", ErrUnreadable, kind)
	}
	if !info.ReadASN1(&content, tagContent) || !info.Empty() ||
		!content.ReadASN1(&signed, cryptobyte_asn1.SEQUENCE) || !content.Empty() {
		return malformed("content")
	}
	var version int
	if !signed.ReadASN1Integer(&version) || version < 1 || version > 5 {
		return malformed("version")
	}
	if !signed.SkipASN1(cryptobyte_asn1.SET) {
		return malformed("digestAlgorithms")
	}
	if !signed.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&encapsulated) {
		return malformed("encapContentInfo")
	}
	var certs cryptobyte.String
	var present bool
	if !signed.ReadOptionalASN1(&certs, &present, tagCertificates) {
		return malformed("certificates")
	}
	if !signed.SkipOptionalASN1(tagCRLs) {
		return malformed("crls")
	}
	if !signed.SkipASN1(cryptobyte_asn1.SET) || !signed.Empty() {
		return malformed("signerInfos")
	}
	return parseCertificateSet(certs)
}

func parseCertificateSet(certs cryptobyte.String) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for !certs.Empty() {
		var raw cryptobyte.String
		if !certs.ReadASN1Element(&raw, cryptobyte_asn1.SEQUENCE) {
			return nil, fmt.Errorf("%w: PKCS#7: entry %d is no X.509 certificate", ErrUnreadable, len(list)+1)
		}
		cert, err := parseOne(raw)
		if err != nil {
			return nil, fmt.Errorf("PKCS#7: certificate %d: %w", len(list)+1, err)
		}
		if list = append(list, cert); len(list) > maxCertificates {
			return nil, errTooMany()
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: the PKCS#7 holds no certificate", ErrUnreadable)
	}
	return list, nil
}
