package certificate

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"

	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// pkcs7Label is the PEM label of a PKCS#7 (RFC 7468 section 8).
const pkcs7Label = "PKCS7"

// What stands around the certificates, in DER (RFC 5652 sections 3 to 5).
const (
	oidSignedDataDER = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	// signedDataVersion is 1, the version of a SignedData whose certificates are all X.509 and
	// whose content is plain data.
	signedDataVersion = "\x02\x01\x01"
	// encapsulatedData is the type of such content, which is left out.
	encapsulatedData = "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
)

// EncodePKCS7 packs certificates into a PEM-armoured certificates-only PKCS#7
// (RFC 8551 section 3.8): SignedData without content, signers and CRLs. The
// order of the certificates is kept, although they are a SET OF that DER would
// sort: readers are given leaf, intermediates and root in this order.
func EncodePKCS7(chain []*x509.Certificate) ([]byte, error) {
	if len(chain) == 0 {
		return nil, errors.New("encoding PKCS#7: no certificate")
	}
	if slices.Contains(chain, nil) {
		return nil, errors.New("encoding PKCS#7: a certificate of the chain is nil")
	}
	size := 0
	for _, cert := range chain {
		size += len(cert.Raw)
	}
	const empty = "\x31\x00" // a SET of nothing: digestAlgorithms, signerInfos
	before := signedDataVersion + empty + encapsulatedData
	signed := len(before) + tlvSize(size) + len(empty)
	content := tlvSize(signed)
	info := len(oidSignedDataDER) + tlvSize(content)

	var buffer [8 << 10]byte                                        // spares nearly every chain an allocation
	der := appendHeader(buffer[:0], cryptobyte_asn1.SEQUENCE, info) // ContentInfo
	der = appendHeader(append(der, oidSignedDataDER...), tagContent, content)
	der = appendHeader(der, cryptobyte_asn1.SEQUENCE, signed) // SignedData
	der = appendHeader(append(der, before...), tagCertificates, size)
	for _, cert := range chain {
		der = append(der, cert.Raw...)
	}
	return armour(pkcs7Label, append(der, empty...)), nil
}

// tlvSize returns how long an ASN.1 value is with its header.
func tlvSize(n int) int { return len(appendHeader(make([]byte, 0, 8), 0, n)) + n }

// appendHeader appends the tag and the length of an ASN.1 value (X.690 section 8.1).
func appendHeader(out []byte, tag cryptobyte_asn1.Tag, n int) []byte {
	switch out = append(out, byte(tag)); {
	case n < 1<<7:
		return append(out, byte(n))
	case n < 1<<8:
		return append(out, 0x81, byte(n))
	case n < 1<<16:
		return append(out, 0x82, byte(n>>8), byte(n))
	}
	return append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// armour writes a PEM block as [pem.Encode] does, in one allocation.
func armour(label string, der []byte) []byte {
	const line = 48 // octets, 64 characters of base64
	size := (len(der) + 2) / 3 * 4
	out := make([]byte, 0, size+len(der)/line+2*len(label)+40)
	out = append(append(append(out, "-----BEGIN "...), label...), "-----\n"...)
	for ; len(der) > 0; der = der[min(line, len(der)):] {
		out = append(base64.StdEncoding.AppendEncode(out, der[:min(line, len(der))]), '\n')
	}
	return append(append(append(out, "-----END "...), label...), "-----\n"...)
}
