package baseline

import (
	"crypto/x509"
	"encoding/hex"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// CheckMalformed says what is wrong with the encoding of a certificate that crypto/x509
// refuses: its words, and whether the key's or the signature's algorithm is what stands
// there in a way that the requirements do not allow.
func CheckMalformed(malformed *certificate.MalformedError) []smime.Finding {
	c := &checker{cert: &x509.Certificate{Raw: malformed.DER, RawSubjectPublicKeyInfo: keyInfo(malformed.DER)}}
	c.reportAt("smbr-encoding", "", "it is refused: %v", malformed.Err)
	if c.cert.RawSubjectPublicKeyInfo != nil {
		c.checkAlgorithms()
	}
	return c.findings
}

// keyInfo returns the SubjectPublicKeyInfo of a certificate, nil where there is none.
func keyInfo(der cryptobyte.String) []byte {
	var whole, body, info cryptobyte.String
	version := cryptobyte_asn1.Tag(0).ContextSpecific().Constructed()
	if !der.ReadASN1(&whole, cryptobyte_asn1.SEQUENCE) || !whole.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) ||
		!body.SkipOptionalASN1(version) || !body.SkipASN1(cryptobyte_asn1.INTEGER) {
		return nil
	}
	for range 4 { // signature, issuer, validity, subject
		if !body.SkipASN1(cryptobyte_asn1.SEQUENCE) {
			return nil
		}
	}
	if !body.ReadASN1Element(&info, cryptobyte_asn1.SEQUENCE) {
		return nil
	}
	return info
}

// checkAlgorithms measures the identifiers of the algorithms of key and signature.
func (c *checker) checkAlgorithms() {
	if !slices.Contains(keyAlgorithms(), hex.EncodeToString(first(c.cert.RawSubjectPublicKeyInfo, 0))) {
		c.report("smbr-key-algorithm", "its key's algorithm, %s, is none that is allowed, or not encoded as it has to be",
			certificate.AlgorithmName(certificate.KeyAlgorithm(c.cert)))
	}
	if !slices.Contains(signatureAlgorithms(), hex.EncodeToString(first(c.cert.Raw, 1))) && certificate.SignatureAlgorithm(c.cert).String() != pss {
		c.report("smbr-signature-algorithm", "the algorithm of its signature is none that is allowed, or not encoded as it has to be")
	}
}
