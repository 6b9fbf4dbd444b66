package certificate

import (
	"encoding/asn1"
	"errors"
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

func oidData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }

// oidNetscapeSequence is the type of certificates in a row, which openssl nseq writes.
func oidNetscapeSequence() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 2, 5}
}

// signedData reads the certificates of a PKCS#7, whose other content types it names.
func (r *reader) signedData(der []byte) error {
	malformed := func(what string) error {
		return fmt.Errorf("%w: PKCS#7: malformed %s", ErrUnreadable, what)
	}
	input := cryptobyte.String(der)
	var info, content cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !input.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) {
		return malformed("ContentInfo")
	}
	if kind.Equal(oidNetscapeSequence()) && info.ReadASN1(&content, tagContent) && content.ReadASN1(&content, cryptobyte_asn1.SEQUENCE) {
		return r.certificates(content)
	}
	if !kind.Equal(oidSignedData()) {
		return &KindError{Kind: kindOfContent(kind)}
	}
	if !info.ReadASN1(&content, tagContent) || !info.Empty() {
		return malformed("content")
	}
	return r.signed(content)
}

// signed reads the certificates of a SignedData.
func (r *reader) signed(content cryptobyte.String) error {
	malformed := func(what string) error {
		return fmt.Errorf("%w: PKCS#7: malformed %s", ErrUnreadable, what)
	}
	var signed, body cryptobyte.String
	var encapsulated asn1.ObjectIdentifier
	if !content.ReadASN1(&signed, cryptobyte_asn1.SEQUENCE) || !content.Empty() {
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
	var certs, crls cryptobyte.String
	var present bool
	if !signed.ReadOptionalASN1(&certs, &present, tagCertificates) {
		return malformed("certificates")
	}
	if !signed.ReadOptionalASN1(&crls, &present, tagCRLs) {
		return malformed("crls")
	}
	if !signed.SkipASN1(cryptobyte_asn1.SET) || !signed.Empty() {
		return malformed("signerInfos")
	}
	switch {
	case certs.Empty() && !crls.Empty():
		r.passedOver = kindCRL
		return nil
	case certs.Empty():
		return fmt.Errorf("%w: the PKCS#7 holds no certificate", ErrUnreadable)
	}
	return r.certificates(certs)
}

// certificates reads the entries of a set or sequence.
func (r *reader) certificates(certs cryptobyte.String) error {
	for entry := 1; !certs.Empty(); entry++ {
		var raw cryptobyte.String
		if tag := certs.PeekASN1Tag; tag(0xa0) || tag(0xa1) || tag(0xa2) || tag(0xa3) { // attribute and other certificates (RFC 5652 section 10.2.2)
			certs.ReadAnyASN1Element(&raw, new(cryptobyte_asn1.Tag))
			r.passedOver = kindAttributes
			continue
		}
		if !certs.ReadASN1Element(&raw, cryptobyte_asn1.SEQUENCE) {
			return fmt.Errorf("%w: PKCS#7: entry %d is no X.509 certificate", ErrUnreadable, entry)
		}
		err := r.certificate(raw)
		if _, saysWhich := errors.AsType[*MalformedError](err); saysWhich {
			return fmt.Errorf("PKCS#7: %w", err)
		}
		if err != nil {
			return fmt.Errorf("PKCS#7: certificate %d: %w", entry, err)
		}
	}
	return nil
}
