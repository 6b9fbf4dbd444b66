package baseline

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// kind is a family of keys that the same rules hold for.
type kind string

const (
	kindRSA   kind = "RSA"
	kindEC    kind = "EC"
	kindEdDSA kind = "EdDSA"      // Ed25519 and Ed448 (RFC 8410)
	kindX     kind = "X25519/448" // key agreement alone (RFC 8410)
	kindMLDSA kind = "ML-DSA"     // FIPS 204
	kindMLKEM kind = "ML-KEM"     // FIPS 203
	kindOther kind = "unknown"
)

func kindOf(cert *x509.Certificate) kind {
	switch id := certificate.KeyAlgorithm(cert).String(); id {
	case "1.2.840.113549.1.1.1":
		return kindRSA
	case "1.2.840.10045.2.1":
		return kindEC
	case "1.3.101.110", "1.3.101.111":
		return kindX
	case "1.3.101.112", "1.3.101.113":
		return kindEdDSA
	case "2.16.840.1.101.3.4.3.17", "2.16.840.1.101.3.4.3.18", "2.16.840.1.101.3.4.3.19":
		return kindMLDSA
	case "2.16.840.1.101.3.4.4.1", "2.16.840.1.101.3.4.4.2", "2.16.840.1.101.3.4.4.3":
		return kindMLKEM
	}
	return kindOther
}

// keyAlgorithms are the AlgorithmIdentifiers of keys that are allowed, as hex of their
// DER: RSA with NULL, P-256, P-384, P-521, Ed25519, Ed448, ML-DSA and ML-KEM without
// parameters (SMBR section 7.1.3.1).
func keyAlgorithms() []string {
	return []string{
		"300d06092a864886f70d0101010500",
		"301306072a8648ce3d020106082a8648ce3d030107", "301006072a8648ce3d020106052b81040022", "301006072a8648ce3d020106052b81040023",
		"300506032b6570", "300506032b6571",
		"300b0609608648016503040311", "300b0609608648016503040312", "300b0609608648016503040313",
		"300b0609608648016503040401", "300b0609608648016503040402", "300b0609608648016503040403",
	}
}

// signatureAlgorithms are those of signatures: PKCS #1 v1.5 and PSS with SHA-256,
// SHA-384 and SHA-512, ECDSA with the same, Ed25519, Ed448 and ML-DSA (SMBR section
// 7.1.3.2). PSS has the same hash in its mask, and a salt of the hash's length.
func signatureAlgorithms() []string {
	return []string{
		"300d06092a864886f70d01010b0500", "300d06092a864886f70d01010c0500", "300d06092a864886f70d01010d0500",
		"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
		"304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130",
		"304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140",
		"300a06082a8648ce3d040302", "300a06082a8648ce3d040303", "300a06082a8648ce3d040304",
		"300506032b6570", "300506032b6571",
		"300b0609608648016503040311", "300b0609608648016503040312", "300b0609608648016503040313",
	}
}

// checkKey measures the key and the identifiers of algorithms.
func (c *checker) checkKey() {
	c.checkAlgorithms()
	key, ok := c.cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return
	}
	if bits := key.N.BitLen(); bits < 2048 || bits%8 != 0 {
		c.report("smbr-rsa-modulus", "its RSA key has %d bits; 2048 or more are asked for, in whole octets", bits)
	}
	switch {
	case key.E < 3 || key.E%2 == 0:
		c.report("smbr-rsa-exponent", "its RSA exponent, %d, is no odd number of 3 or more", key.E)
	case key.E < 65537:
		c.report("smbr-rsa-exponent", "its RSA exponent, %d, is less than 65537, which is recommended", key.E)
	}
	if new(big.Int).GCD(nil, nil, key.N, smallFactors()).Cmp(big.NewInt(1)) != 0 {
		c.report("smbr-rsa-modulus", "its RSA modulus has a factor that is less than 752")
	}
}

// smallFactors returns a number that has every factor that is less than 752. Nobody
// changes it.
var smallFactors = sync.OnceValue(func() *big.Int { return new(big.Int).MulRange(2, 751) })

// first returns an element of a sequence, as it is encoded; nil where there is none.
func first(der cryptobyte.String, skip int) []byte {
	var body, element cryptobyte.String
	var tag cryptobyte_asn1.Tag
	if !der.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
		return nil
	}
	for ; skip >= 0; skip-- {
		if !body.ReadAnyASN1Element(&element, &tag) {
			return nil
		}
	}
	return element
}

// keyBits returns the content of the subjectPublicKey's BIT STRING.
func keyBits(cert *x509.Certificate) []byte {
	input, body := cryptobyte.String(cert.RawSubjectPublicKeyInfo), cryptobyte.String(nil)
	var bits asn1.BitString
	if !input.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) || !body.SkipASN1(cryptobyte_asn1.SEQUENCE) || !body.ReadASN1BitString(&bits) {
		return nil
	}
	return bits.Bytes
}

// checkKeyIDs measures the key identifiers (SMBR section 7.1.2.3 (g), RFC 5280 sections
// 4.2.1.1 and 4.2.1.2).
func (c *checker) checkKeyIDs() {
	authority := c.extension(2, 5, 29, 35)
	switch {
	case authority.Id == nil:
		c.report("smbr-aki", "it has no authority key identifier")
	case len(c.cert.AuthorityKeyId) == 0:
		c.report("smbr-aki", "its authority key identifier has no key identifier")
	}
	if authority.Critical {
		c.report("smbr-aki", "its authority key identifier is critical")
	}
	if hasIssuerAndSerial(authority.Value) {
		c.report("smbr-aki-issuer", "its authority key identifier names the issuer's certificate, by name or serial number")
	}
	subject := c.extension(2, 5, 29, 14)
	switch id := c.cert.SubjectKeyId; {
	case subject.Id == nil:
		c.report("smbr-ski", "it has no subject key identifier")
	case !slices.ContainsFunc(keyIDs(keyBits(c.cert), c.cert.RawSubjectPublicKeyInfo), func(known []byte) bool { return bytes.Equal(known, id) }):
		c.report("smbr-ski-method", "its subject key identifier is not made in one of the usual ways")
	}
	if subject.Critical {
		c.report("smbr-ski", "its subject key identifier is critical")
	}
}

// hasIssuerAndSerial tells whether an authority key identifier has more than the key's.
func hasIssuerAndSerial(der cryptobyte.String) bool {
	var body cryptobyte.String
	if !der.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) {
		return false
	}
	body.SkipOptionalASN1(cryptobyte_asn1.Tag(0).ContextSpecific())
	return !body.Empty()
}
