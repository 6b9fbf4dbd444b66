package issuer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"
)

var errNoCertificate = errors.New("holds no certificate")

// parseCertificates reads certificates as CAs hand them out: PEM with
// certificates or PKCS#7 in any order, DER, or a PKCS#7 bundle in DER.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !bytes.Contains(data, []byte("-----BEGIN")) {
		return parseDER(data)
	}
	var certs []*x509.Certificate
	// A damaged block is passed over by the decoder; the count tells.
	left := bytes.Count(data, []byte("-----BEGIN"))
	for ; ; left-- {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS", "PKCS #7 SIGNED DATA":
			found, err := parseDER(block.Bytes)
			if err != nil {
				return nil, err
			}
			certs = append(certs, found...)
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("holds a private key, which does not belong here")
		}
	}
	if left > 0 {
		return nil, errors.New("holds PEM that is cut off or damaged")
	}
	if len(certs) == 0 {
		return nil, errNoCertificate
	}
	return certs, nil
}

func parseDER(der []byte) ([]*x509.Certificate, error) {
	if len(der) == 0 {
		return nil, errNoCertificate
	}
	certs, err := x509.ParseCertificates(der)
	if err == nil && len(certs) > 0 {
		return certs, nil
	}
	bundle, bundleErr := pkcs7.Parse(der)
	if bundleErr != nil {
		return nil, fmt.Errorf("holds neither a certificate (%w) nor PKCS#7 (%w)", err, bundleErr)
	}
	if len(bundle.Certificates) == 0 {
		return nil, errNoCertificate
	}
	return bundle.Certificates, nil
}

func encodePEM(label string, ders ...[]byte) []byte {
	var out bytes.Buffer
	for _, der := range ders {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	return out.Bytes()
}
