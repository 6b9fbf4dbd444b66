package certificate

import (
	"crypto/x509"
	"fmt"
)

// ParseRequest reads a certificate request (PKCS#10) in PEM, DER or base64, with any
// text around it. Its signature is not looked at.
func ParseRequest(data []byte) (*x509.CertificateRequest, error) {
	der, err := requestDER(data)
	if err != nil {
		return nil, err
	}
	if countValues(der, 0, maxCertificateValues) > maxCertificateValues {
		return nil, &TooLargeError{"a request with many thousands of names and other values", maxCertificateValues}
	}
	request, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = CheckKey(request.PublicKey)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return request, nil
}

func requestDER(data []byte) ([]byte, error) {
	switch {
	case len(data) > MaxFile:
		return nil, &TooLargeError{"the file's size in bytes", MaxFile}
	case isDER(data):
		return data, nil
	}
	text := toText(data)
	found, err := blocks(text)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1 && found[0].kind == KindRequest:
		return found[0].decode(0)
	case len(found) > 0:
		return nil, fmt.Errorf("%w: it is not one certificate request", ErrUnreadable)
	}
	if der, ok := fromBase64(text); ok {
		return der, nil
	}
	return nil, fmt.Errorf("%w: it is neither PEM nor DER nor base64", ErrUnreadable)
}
