package issued

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// parseCertificate reads a single certificate in PEM or DER.
func parseCertificate(raw []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(raw)
	if block == nil {
		return x509.ParseCertificate(raw)
	}
	if block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("it holds a %s, not a certificate", block.Type)
	}
	if another, _ := pem.Decode(rest); another != nil {
		return nil, errors.New("it holds more than one certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// parsePKCS12 reads a private key and its certificate.
func parsePKCS12(raw []byte, password string) (crypto.PrivateKey, *x509.Certificate, error) {
	key, certificate, _, err := pkcs12.DecodeChain(raw, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, fmt.Errorf("its password is not the one in %s, or none where there is no such file", passwordFile)
	}
	return key, certificate, err
}

// parseKey reads a private key in PEM: PKCS#8, PKCS#1 or SEC 1.
func parseKey(raw []byte) (crypto.PrivateKey, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errors.New("no private key in PEM")
	}
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	return nil, fmt.Errorf("it holds a %s, not a private key without a password", block.Type)
}

// maxPlain is the most bytes of a certificate that go onto a card as they are;
// longer ones are packed, as issuers do.
const maxPlain = 3040

// certificateObject frames a certificate (SP 800-73-4 Part 1, table 10): 70, then
// 71 with bit 0 set for gzip, then an empty FE.
func certificateObject(der []byte) ([]byte, error) {
	info := byte(0)
	if len(der) > maxPlain {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		_, err := writer.Write(der)
		if err := errors.Join(err, writer.Close()); err != nil {
			return nil, fmt.Errorf("pack the certificate: %w", err)
		}
		der, info = packed.Bytes(), 1
	}
	if len(der) > 0xffff {
		return nil, fmt.Errorf("a certificate of %d bytes is for no card", len(der))
	}
	object := append([]byte{0x70, 0x82, byte(len(der) >> 8), byte(len(der))}, der...)
	return append(object, 0x71, 0x01, info, 0xfe, 0x00), nil
}

// withoutTag53 takes the outer tag off an object that was saved with it.
func withoutTag53(raw []byte) []byte {
	for _, header := range []struct {
		bytes  []byte
		length int
	}{
		{[]byte{0x53}, 1}, {[]byte{0x53, 0x81}, 1}, {[]byte{0x53, 0x82}, 2},
	} {
		value, ok := bytes.CutPrefix(raw, header.bytes)
		if !ok || len(value) < header.length {
			continue
		}
		length := 0
		for _, b := range value[:header.length] {
			length = length<<8 | int(b)
		}
		if value = value[header.length:]; len(value) == length {
			return value
		}
	}
	return raw
}
