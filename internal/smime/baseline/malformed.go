package baseline

import (
	"crypto/x509"
	"encoding/hex"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// CheckMalformed says what is wrong with the encoding of a certificate that crypto/x509
// refuses: its words, and whether the key's or the signature's algorithm is what stands
// there in a way that the requirements do not allow.
func CheckMalformed(malformed *certificate.MalformedError) []smime.Finding {
	c := &checker{cert: &x509.Certificate{Raw: malformed.DER, RawSubjectPublicKeyInfo: certificate.KeyInfo(malformed.DER)}}
	c.reportAt("smbr-encoding", "", "it is refused: %v", malformed.Err)
	if c.cert.RawSubjectPublicKeyInfo != nil {
		c.checkAlgorithms()
	}
	return c.findings
}

// checkAlgorithms measures the identifiers of the algorithms of key and signature.
func (c *checker) checkAlgorithms() {
	if !slices.Contains(keyAlgorithms(), hex.EncodeToString(first(c.cert.RawSubjectPublicKeyInfo, 0))) {
		c.report("smbr-key-algorithm", "its key's algorithm, %s, is none that is allowed, or not encoded as it has to be",
			certificate.KeyName(c.cert))
	}
	if !slices.Contains(signatureAlgorithms(), hex.EncodeToString(first(c.cert.Raw, 1))) {
		c.report("smbr-signature-algorithm", "the algorithm of its signature is none that is allowed, or not encoded as it has to be")
	}
}
