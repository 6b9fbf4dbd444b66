package smime

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

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// pkcs7Label is the PEM label of a PKCS#7 (RFC 7468 section 8).
const pkcs7Label = "PKCS7"

// signedDataVersion is the version of a SignedData whose certificates are all
// X.509 and whose content is plain data (RFC 5652 section 5.1).
const signedDataVersion = 1

func oidData() asn1.ObjectIdentifier       { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }
func oidSignedData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} }

// Tags of ContentInfo's content and of the optional fields of SignedData.
const (
	tagContent      = cryptobyte_asn1.Tag(0xa0) // [0] EXPLICIT
	tagCertificates = cryptobyte_asn1.Tag(0xa0) // [0] IMPLICIT
	tagCRLs         = cryptobyte_asn1.Tag(0xa1) // [1] IMPLICIT
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
	var b cryptobyte.Builder
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
	return pem.EncodeToMemory(&pem.Block{Type: pkcs7Label, Bytes: der}), nil
}

// ParsePKCS7 reads the certificates of a PKCS#7 SignedData (PEM, DER or BER), in
// the order in which they stand. Signatures in it are not looked at. Trailing
// octets, other certificate formats and an empty list are refused.
func ParsePKCS7(data []byte) ([]*x509.Certificate, error) {
	if err := checkSize(data); err != nil {
		return nil, err
	}
	if !bytes.Contains(data, pemBegin) {
		return parseSignedData(data)
	}
	block, rest := pem.Decode(data)
	switch {
	case block == nil || bytes.Count(data, pemBegin) != 1:
		return nil, fmt.Errorf("%w: not one whole PEM block", ErrNotCertificates)
	case block.Type != pkcs7Label && block.Type != "CMS":
		return nil, fmt.Errorf("%w: PEM block %q is no PKCS#7", ErrNotCertificates, safetext.Clean(block.Type))
	case len(bytes.TrimSpace(rest)) != 0:
		return nil, fmt.Errorf("%w: %d octets follow the PEM block", ErrNotCertificates, len(rest))
	}
	return parseSignedData(block.Bytes)
}

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
		return nil, fmt.Errorf("%w: PKCS#7: %w", ErrNotCertificates, err)
	}
	malformed := func(what string) ([]*x509.Certificate, error) {
		return nil, fmt.Errorf("%w: PKCS#7: malformed %s", ErrNotCertificates, what)
	}
	input := cryptobyte.String(der)
	var info, content, signed, body cryptobyte.String
	var kind, encapsulated asn1.ObjectIdentifier
	if !input.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) {
		return malformed("ContentInfo")
	}
	if !input.Empty() {
		return nil, fmt.Errorf("%w: %d octets follow the PKCS#7", ErrNotCertificates, len(input))
	}
	if !kind.Equal(oidSignedData()) {
		return nil, fmt.Errorf("%w: PKCS#7 content type %v is not SignedData", ErrNotCertificates, kind)
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
			return nil, fmt.Errorf("%w: PKCS#7: entry %d is no X.509 certificate", ErrNotCertificates, len(list)+1)
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: PKCS#7: certificate %d: %w", ErrNotCertificates, len(list)+1, err)
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: the PKCS#7 holds no certificate", ErrNotCertificates)
	}
	return list, nil
}
