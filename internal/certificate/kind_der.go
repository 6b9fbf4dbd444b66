package certificate

import (
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

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
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.SEQUENCE && second.PeekASN1Tag(cryptobyte_asn1.SEQUENCE) && c != cryptobyte_asn1.OCTET_STRING: // RFC 3161 section 2.4.1
		return "a time stamp request"
	case a == cryptobyte_asn1.INTEGER && (b == cryptobyte_asn1.SEQUENCE || b == cryptobyte_asn1.OCTET_STRING): // PKCS#8 (RFC 5958), SEC 1 (RFC 5915)
		return KindPrivateKey
	case a == cryptobyte_asn1.INTEGER && b == cryptobyte_asn1.INTEGER && c == cryptobyte_asn1.INTEGER && len(first) > 1: // of Diffie-Hellman, without a version
		return kindParameter
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
	case a == cryptobyte_asn1.SEQUENCE && (b == 0 || b == tagContent) && isOCSPRequest(first):
		return "an OCSP request"
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

// isOCSPRequest tells what is asked of an OCSP responder: a list of certificates' identifiers
// (RFC 6960 section 4.1.1), after a version and a name that may be left out.
func isOCSPRequest(body cryptobyte.String) bool {
	_ = body.SkipOptionalASN1(0xa0) && body.SkipOptionalASN1(0xa1)
	for range 4 { // requestList, Request, CertID, hashAlgorithm
		if !body.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
			return false
		}
	}
	return body.PeekASN1Tag(cryptobyte_asn1.OBJECT_IDENTIFIER)
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
	case is(integer, sequence, version, sequence, integer): // RFC 5755 section 4.1
		return kindAttributes
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
