package workspace

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// maxCertificates bounds a chain; real ones have three or four.
const maxCertificates = 16

// parsePKCS7 reads a chain as keypairs.create takes it: one PEM block labelled
// PKCS7 with nothing around it, holding a certs-only SignedData (RFC 2315
// section 9.1, RFC 8551 section 3.8) in DER. Order is kept.
func parsePKCS7(text []byte) ([]*x509.Certificate, error) {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		return nil, errors.New("not PEM: it does not begin with an armor line")
	}
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("not PEM: the armor is damaged")
	case len(bytes.TrimSpace(rest)) != 0:
		return nil, errors.New("trailing data after the PEM block")
	case bytes.Count(text, []byte("-----BEGIN ")) != 1:
		// pem.Decode skips blocks that it cannot read.
		return nil, errors.New("not PEM: the first block is damaged")
	case block.Type != "PKCS7":
		return nil, fmt.Errorf("the PEM label is %q, need PKCS7", block.Type)
	case len(block.Headers) != 0:
		return nil, errors.New("the PEM block has headers")
	}
	return parseSignedData(block.Bytes)
}

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// parseSignedData reads ContentInfo { signedData, [0] SignedData }.
func parseSignedData(der []byte) ([]*x509.Certificate, error) {
	input := cryptobyte.String(der)
	var info, content, signed cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !input.ReadASN1(&info, tags.SEQUENCE) {
		return nil, errors.New("not DER: no ContentInfo sequence")
	}
	if !input.Empty() {
		return nil, errors.New("trailing data after the PKCS#7 structure")
	}
	if !info.ReadASN1ObjectIdentifier(&kind) {
		return nil, errors.New("no content type")
	}
	if !kind.Equal(oidSignedData) {
		return nil, fmt.Errorf("content type is %v, need signedData", kind)
	}
	if !info.ReadASN1(&content, tags.Tag(0).ContextSpecific().Constructed()) || !info.Empty() ||
		!content.ReadASN1(&signed, tags.SEQUENCE) || !content.Empty() {
		return nil, errors.New("malformed signedData content")
	}
	return parseCertificates(signed)
}

// parseCertificates reads the inside of SignedData:
//
//	version, digestAlgorithms SET, contentInfo SEQUENCE,
//	certificates [0] IMPLICIT, crls [1] IMPLICIT OPTIONAL, signerInfos SET
func parseCertificates(signed cryptobyte.String) ([]*x509.Certificate, error) {
	var version int
	var digests, inner, certificates, crls, signers cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !signed.ReadASN1Integer(&version) || version < 1 || version > 5 {
		return nil, errors.New("malformed or unknown SignedData version")
	}
	if !signed.ReadASN1(&digests, tags.SET) ||
		!signed.ReadASN1(&inner, tags.SEQUENCE) || !inner.ReadASN1ObjectIdentifier(&kind) {
		return nil, errors.New("malformed SignedData")
	}
	if !digests.Empty() {
		return nil, errors.New("not certs-only: it has digest algorithms")
	}
	if !kind.Equal(oidData) || !inner.Empty() {
		return nil, errors.New("not certs-only: it has content")
	}
	var present bool
	if !signed.ReadOptionalASN1(&certificates, &present, tags.Tag(0).ContextSpecific().Constructed()) || !present {
		return nil, errors.New("no certificates")
	}
	if !signed.ReadOptionalASN1(&crls, &present, tags.Tag(1).ContextSpecific().Constructed()) ||
		!signed.ReadASN1(&signers, tags.SET) || !signed.Empty() {
		return nil, errors.New("malformed SignedData after the certificates")
	}
	if !signers.Empty() {
		return nil, errors.New("not certs-only: it has signers")
	}
	for !crls.Empty() {
		// Revocation lists may come along; they are read and not used.
		var element cryptobyte.String
		if !crls.ReadASN1Element(&element, tags.SEQUENCE) {
			return nil, errors.New("malformed revocation list set")
		}
		if _, err := x509.ParseRevocationList(element); err != nil {
			return nil, fmt.Errorf("parse a revocation list: %w", err)
		}
	}
	var chain []*x509.Certificate
	for !certificates.Empty() {
		var element cryptobyte.String
		if !certificates.ReadASN1Element(&element, tags.SEQUENCE) {
			return nil, errors.New("malformed certificate set")
		}
		if len(chain) == maxCertificates {
			return nil, fmt.Errorf("more than %d certificates", maxCertificates)
		}
		certificate, err := x509.ParseCertificate(element)
		if err == nil && !isThreeParts(element) {
			err = errors.New("trailing data")
		}
		if err != nil {
			return nil, fmt.Errorf("parse certificate %d: %w", len(chain)+1, err)
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificates")
	}
	return chain, nil
}

// isThreeParts reports whether a certificate is what RFC 5280 section 4.1 has it be,
// which crypto/x509 does not look at: tbsCertificate, signatureAlgorithm,
// signatureValue, and nothing else.
func isThreeParts(certificate cryptobyte.String) bool {
	var parts cryptobyte.String
	return certificate.ReadASN1(&parts, tags.SEQUENCE) && parts.SkipASN1(tags.SEQUENCE) &&
		parts.SkipASN1(tags.SEQUENCE) && parts.SkipASN1(tags.BIT_STRING) && parts.Empty()
}
