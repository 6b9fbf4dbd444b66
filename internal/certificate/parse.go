// Package certificate reads and writes the files of X.509 certificates and requests,
// of whoever and for whatever purpose; what a chain is and what Gmail asks of one is
// package smime's. It reads what authorities, cards and directories hand out, within
// bounds: whatever the octets are, reading them takes little time and memory, and so
// does verifying what was read.
//
// Sources: RFC 5280 (certificates), RFC 5652 and RFC 8551 section 3.8
// (certificates-only PKCS#7), RFC 7468 (PEM), RFC 2986 (requests).
package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// ErrUnreadable is wrapped by the errors of [Parse], [ParseRequest] and [Blocks].
var ErrUnreadable = errors.New("not a certificate file")

// Parse reads certificates in whichever form they are handed out, in the order of
// the file: DER certificates one after the other, a PKCS#7 in DER or BER, or PEM
// blocks (see [Blocks]) of both; the content of a block counts, not which of their
// labels it has. Requests, revocation lists and parameters beside certificates are
// passed over; anything else is refused, a private key above all.
func Parse(data []byte) ([]*x509.Certificate, error) {
	blocks, err := Blocks(data)
	if err != nil {
		return nil, err
	}
	if blocks == nil {
		return parseDER(data)
	}
	var list []*x509.Certificate
	for _, block := range blocks {
		certs, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		if list = append(list, certs...); len(list) > maxCertificates {
			return nil, errTooMany()
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: it holds no certificate", ErrUnreadable)
	}
	return list, nil
}

func parseBlock(block *pem.Block) ([]*x509.Certificate, error) {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS", "PKCS #7 SIGNED DATA":
		return parseDER(block.Bytes)
	case "TRUSTED CERTIFICATE":
		// OpenSSL puts what it trusts the certificate for behind it.
		input := cryptobyte.String(block.Bytes)
		var raw cryptobyte.String
		if !input.ReadASN1Element(&raw, cryptobyte_asn1.SEQUENCE) {
			return nil, fmt.Errorf("%w: a trusted certificate is damaged", ErrUnreadable)
		}
		return parseDER(raw)
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "X509 CRL", "EC PARAMETERS", "DH PARAMETERS":
		return nil, nil
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return nil, fmt.Errorf("%w: it holds a private key (%s), which does not belong here", ErrUnreadable, block.Type)
	}
	return nil, fmt.Errorf("%w: unexpected PEM block %q", ErrUnreadable, safetext.Clean(block.Type))
}

// parseDER reads certificates one after the other, or one PKCS#7.
func parseDER(data []byte) ([]*x509.Certificate, error) {
	if isContentInfo(data) {
		return parseSignedData(data)
	}
	var list []*x509.Certificate
	for input := cryptobyte.String(data); ; {
		var raw cryptobyte.String
		if !input.ReadASN1Element(&raw, cryptobyte_asn1.SEQUENCE) {
			raw, input = input, nil // for the error's text
		}
		cert, err := parseOne(raw)
		if err != nil {
			return nil, err
		}
		if list = append(list, cert); len(list) > maxCertificates {
			return nil, errTooMany()
		}
		if input.Empty() {
			return list, nil
		}
	}
}

// parseOne reads one certificate that can be worked with.
func parseOne(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err == nil && !endsWithSignature(der) {
		err = errors.New("octets follow the signature")
	}
	if err == nil {
		err = CheckSize(cert)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return cert, nil
}

// endsWithSignature reports whether the signature is the last thing in a certificate
// (RFC 5280 section 4.1). What follows it nobody signed, and crypto/x509 passes it over:
// the same certificate would have as many fingerprints as one likes.
func endsWithSignature(der cryptobyte.String) bool {
	var inside cryptobyte.String
	return der.ReadASN1(&inside, cryptobyte_asn1.SEQUENCE) &&
		inside.SkipASN1(cryptobyte_asn1.SEQUENCE) && inside.SkipASN1(cryptobyte_asn1.SEQUENCE) &&
		inside.SkipASN1(cryptobyte_asn1.BIT_STRING) && inside.Empty()
}

// ParseRequest reads a certificate request (PKCS#10) in PEM or DER. Its signature
// is not looked at.
func ParseRequest(data []byte) (*x509.CertificateRequest, error) {
	blocks, err := Blocks(data)
	if err != nil {
		return nil, err
	}
	switch {
	case len(blocks) == 1 && (blocks[0].Type == "CERTIFICATE REQUEST" || blocks[0].Type == "NEW CERTIFICATE REQUEST"):
		data = blocks[0].Bytes
	case blocks != nil:
		return nil, fmt.Errorf("%w: it is not one certificate request", ErrUnreadable)
	}
	request, err := x509.ParseCertificateRequest(data)
	if err == nil {
		err = CheckKey(request.PublicKey)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return request, nil
}

var pemBegin = []byte("-----BEGIN ")

// Blocks returns the PEM blocks of a text, nil where there is none. Other text may
// stand before each (RFC 7468 section 5.2), but not after the last; a damaged block
// is an error, as are more blocks or octets than any file of certificates has.
func Blocks(data []byte) ([]*pem.Block, error) {
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrUnreadable)
	case len(data) > MaxFile:
		return nil, fmt.Errorf("%w: larger than %d octets", ErrUnreadable, MaxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark
	begins := bytes.Count(data, pemBegin)
	if begins > maxCertificates {
		return nil, errTooMany()
	}
	var blocks []*pem.Block
	for range begins {
		block, rest := pem.Decode(data)
		// pem.Decode passes over damaged blocks without a word.
		if block == nil || bytes.Count(data[:len(data)-len(rest)], pemBegin) != 1 {
			return nil, fmt.Errorf("%w: a PEM block is damaged", ErrUnreadable)
		}
		blocks, data = append(blocks, block), rest
	}
	if begins > 0 && len(bytes.TrimSpace(data)) != 0 {
		return nil, fmt.Errorf("%w: %d octets follow the last PEM block", ErrUnreadable, len(data))
	}
	return blocks, nil
}
