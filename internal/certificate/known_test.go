package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// TestReaderSharesAuthorities: what stands in many files is read as it would be alone, an
// authority's certificate once, and a fault of one file is none of another.
func TestReaderSharesAuthorities(t *testing.T) {
	chain := newChain(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Authority"}, BasicConstraintsValid: true, IsCA: true}, key)
	file := certificate.EncodePEM(chain[0], authority)
	var reader certificate.Reader
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				certs, err := reader.Parse(file)
				if err != nil || len(certs) != 2 || !certs[0].Equal(chain[0]) || !certs[1].Equal(authority) {
					t.Errorf("%d certificates, %v", len(certs), err)
				}
			}
		})
	}
	group.Wait()
	first, _ := reader.Parse(file)
	again, _ := reader.Parse(file)
	if first[1] != again[1] || first[0] == again[0] {
		t.Error("the authority is not shared, or the leaf is")
	}
	for label, want := range map[string]int{"CERTIFICATE": 1, "X509 CERTIFICATE": 1, "TRUSTED CERTIFICATE": 1, "X509 CRL": 0, "PUBLIC KEY": 0, "UNKNOWN": 0} {
		block := bytes.ReplaceAll(certificate.EncodePEM(authority), []byte("CERTIFICATE"), []byte(label))
		certs, err := reader.Parse(block)
		alone, errAlone := certificate.Parse(block)
		if len(certs) != want || len(alone) != want || (err == nil) != (errAlone == nil) || err != nil && err.Error() != errAlone.Error() {
			t.Errorf("a known certificate under %s: %d (%v), alone %d (%v)", label, len(certs), err, len(alone), errAlone)
		}
	}
	damaged := slices.Concat(authority.Raw[:len(authority.Raw)-1], []byte{authority.Raw[len(authority.Raw)-1] ^ 1})
	certs, err := reader.Parse(damaged)
	if err != nil || bytes.Equal(certs[0].Signature, authority.Signature) {
		t.Errorf("another signature was taken for the known one: %v", err)
	}
	for range 2 {
		if _, err := reader.Parse(authority.Raw[:len(authority.Raw)-1]); !errors.Is(err, certificate.ErrUnreadable) {
			t.Errorf("cut off: %v", err)
		}
	}
}

// TestPEMAsTheLibrary: what encoding/pem reads is read as it does, and what it refuses is
// refused, or is the same certificate in a spelling that is read on purpose; PKCS#7 of any
// size is armoured as it does.
func TestPEMAsTheLibrary(t *testing.T) {
	cert := newChain(t)[0]
	whole := string(certificate.EncodePEM(cert))
	for name, text := range map[string]string{
		"plain":             whole,
		"no last line end":  strings.TrimRight(whole, "\n"),
		"text behind":       whole + "text",
		"on one line":       "-----BEGIN CERTIFICATE-----\n" + strings.ReplaceAll(whole[28:len(whole)-26], "\n", "") + "\n-----END CERTIFICATE-----\n",
		"headers":           strings.Replace(whole, "-----\n", "-----\nName: value\n\n", 1),
		"blank line":        strings.Replace(whole, "-----\n", "-----\n\n", 1),
		"other end":         strings.Replace(whole, "END CERTIFICATE", "END CERTIFICATES", 1),
		"text after end":    strings.TrimRight(whole, "\n") + "x\n",
		"no padding":        strings.Replace(whole, "=", "", 1),
		"a letter too many": strings.Replace(whole, "-----END", "A\n-----END", 1),
		"not in lines":      strings.Replace(whole, "\n-----END", "-----END", 1),
	} {
		block, _ := pem.Decode([]byte(text))
		certs, err := certificate.Parse([]byte(text))
		lenient := name == "text after end" || name == "no padding" || name == "not in lines"
		switch {
		case (block != nil || lenient) != (err == nil):
			t.Errorf("%s: encoding/pem reads it: %t; here: %v", name, block != nil, err)
		case err == nil && !bytes.Equal(certs[0].Raw, cert.Raw):
			t.Errorf("%s: another certificate was read", name)
		}
	}
	for n := range 300 {
		certs := slices.Repeat([]*x509.Certificate{{Raw: make([]byte, n)}}, 1+n%3*n)
		data, err := certificate.EncodePKCS7(certs)
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(data)
		if block == nil || len(rest) > 0 || !bytes.Equal(pem.EncodeToMemory(block), data) || len(block.Bytes) < n*len(certs) {
			t.Fatalf("%d certificates of %d octets: %.60s", len(certs), n, data)
		}
	}
}
