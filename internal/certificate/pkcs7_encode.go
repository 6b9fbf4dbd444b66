package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// pkcs7Label is the PEM label of a PKCS#7 (RFC 7468 section 8).
const pkcs7Label = "PKCS7"

// signedDataVersion is the version of a SignedData whose certificates are all
// X.509 and whose content is plain data (RFC 5652 section 5.1).
const signedDataVersion = 1

func oidData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }

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
	size := 64 // what is around the certificates
	for _, cert := range chain {
		size += len(cert.Raw)
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, size))
	b.AddASN1(cryptobyte_asn1.SEQUENCE, func(info *cryptobyte.Builder) { // ContentInfo
		info.AddASN1ObjectIdentifier(oidSignedData())
		info.AddASN1(tagContent, func(content *cryptobyte.Builder) {
			content.AddASN1(cryptobyte_asn1.SEQUENCE, func(signed *cryptobyte.Builder) { // SignedData
				signed.AddASN1Int64(signedDataVersion)
				signed.AddASN1(cryptobyte_asn1.SET, func(*cryptobyte.Builder) {}) // digestAlgorithms
				signed.AddASN1(cryptobyte_asn1.SEQUENCE, func(encap *cryptobyte.Builder) {
					encap.AddASN1ObjectIdentifier(oidData())
				})
				signed.AddASN1(tagCertificates, func(set *cryptobyte.Builder) {
					for _, cert := range chain {
						set.AddBytes(cert.Raw)
					}
				})
				signed.AddASN1(cryptobyte_asn1.SET, func(*cryptobyte.Builder) {}) // signerInfos
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding PKCS#7: %w", err)
	}
	var armoured bytes.Buffer
	armoured.Grow(len(der)*4/3 + len(der)/48 + 64)
	err = pem.Encode(&armoured, &pem.Block{Type: pkcs7Label, Bytes: der})
	return armoured.Bytes(), err
}
