package smime

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// maxInput bounds what is parsed, in octets: far above any chain.
const maxInput = 4 << 20

// ErrNotCertificates is wrapped by the errors of [ParseCertificates] and
// [ParsePKCS7].
var ErrNotCertificates = errors.New("not a certificate file")

// pemBegin starts every PEM block.
var pemBegin = []byte("-----BEGIN ")

// ParseCertificates reads certificates in whichever form an authority hands them
// out, in the order of the file: one DER certificate, a PKCS#7 in DER or BER, or
// PEM with one or more CERTIFICATE or PKCS7 blocks. Text before a PEM block is
// allowed (RFC 7468 section 5.2); anything after the last certificate, a damaged
// block, or a block of another kind is refused.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	if err := checkSize(data); err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.Contains(data, pemBegin) {
		return parsePEM(data)
	}
	if isContentInfo(data) {
		return parseSignedData(data)
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCertificates, err)
	}
	return []*x509.Certificate{cert}, nil
}

func parsePEM(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for begins := bytes.Count(data, pemBegin); begins > 0; begins-- {
		block, rest := pem.Decode(data)
		// pem.Decode passes over damaged blocks without a word.
		if block == nil || bytes.Count(rest, pemBegin) != begins-1 {
			return nil, fmt.Errorf("%w: a PEM block is damaged", ErrNotCertificates)
		}
		certs, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		list, data = append(list, certs...), rest
	}
	if len(bytes.TrimSpace(data)) != 0 {
		return nil, fmt.Errorf("%w: %d octets follow the last PEM block", ErrNotCertificates, len(data))
	}
	return list, nil
}

func parseBlock(block *pem.Block) ([]*x509.Certificate, error) {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotCertificates, err)
		}
		return []*x509.Certificate{cert}, nil
	case "PKCS7", "CMS":
		return parseSignedData(block.Bytes)
	}
	return nil, fmt.Errorf("%w: unexpected PEM block %q", ErrNotCertificates, safetext.Clean(block.Type))
}

func checkSize(data []byte) error {
	switch {
	case len(data) == 0:
		return fmt.Errorf("%w: it is empty", ErrNotCertificates)
	case len(data) > maxInput:
		return fmt.Errorf("%w: larger than %d octets", ErrNotCertificates, maxInput)
	}
	return nil
}
