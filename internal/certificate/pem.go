package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
)

// EncodePEM returns certificates as PEM blocks in the order given (RFC 7468 section 5).
func EncodePEM(certs ...*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, cert := range certs {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	return out.Bytes()
}

// EncodeRequestPEM returns a certification request in DER as a PEM block (RFC 7468
// section 7).
func EncodeRequestPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}
