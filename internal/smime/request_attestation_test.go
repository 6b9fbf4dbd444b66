package smime_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// TestRequestCarriesItsAttestation: openssl verifies the request, and the attribute holds
// the certificates as the draft arranges them.
func TestRequestCarriesItsAttestation(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"RSA": newRSA(t, 2048), "P-256": certtest.NewKey(t, elliptic.P256()), "P-384": certtest.NewKey(t, elliptic.P384()), "Ed25519": newEd25519(t)} {
		t.Run(name, func(t *testing.T) {
			device := certtest.NewKey(t, elliptic.P256())
			var chain []*x509.Certificate
			for n, public := range []crypto.PublicKey{key.Public(), device.Public()} {
				template := &x509.Certificate{SerialNumber: big.NewInt(int64(n + 1)), Subject: pkix.Name{CommonName: "Attestation"}, NotAfter: time.Now().Add(time.Hour)}
				der, err := x509.CreateCertificate(rand.Reader, template, template, public, device)
				if err != nil {
					t.Fatal(err)
				}
				certificate, err := x509.ParseCertificate(der)
				if err != nil {
					t.Fatal(err)
				}
				chain = append(chain, certificate)
			}
			options := smime.RequestOptions{Email: email, CommonName: "Kim", Use: certificate.UseSign}
			plain, err := smime.CreateRequest(t.Context(), key, options)
			if err != nil {
				t.Fatal(err)
			}
			options.Attestation = chain
			der, err := smime.CreateRequest(t.Context(), key, options)
			if err != nil {
				t.Fatal(err)
			}
			text := openssl(t, der, "req", "-inform", "DER", "-verify", "-noout", "-text")
			for _, want := range []string{"verify OK", "Subject: CN = Kim\n", "email:" + email + "\n", "Digital Signature, Non Repudiation"} {
				if !strings.Contains(text, want) {
					t.Errorf("openssl does not say %q:\n%s", want, text)
				}
			}
			without, err := x509.ParseCertificateRequest(plain)
			if err != nil {
				t.Fatal(err)
			}
			request, err := x509.ParseCertificateRequest(der)
			if err != nil {
				t.Fatal(err)
			}
			if request.SignatureAlgorithm != without.SignatureAlgorithm || !bytes.Equal(request.RawSubject, without.RawSubject) || len(request.Extensions) != len(without.Extensions) {
				t.Errorf("apart from the attestation the request is another: %v, %v", request.SignatureAlgorithm, request.Extensions)
			}
			for n, extension := range request.Extensions {
				if !bytes.Equal(extension.Value, without.Extensions[n].Value) || extension.Critical != without.Extensions[n].Critical {
					t.Errorf("extension %s is another", extension.Id)
				}
			}
			id, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 59})
			if err != nil {
				t.Fatal(err)
			}
			_, after, found := bytes.Cut(der, id)
			var values asn1.RawValue
			if _, err := asn1.Unmarshal(after, &values); !found || err != nil || values.Tag != asn1.TagSet {
				t.Fatalf("no attribute: %v", err)
			}
			var bundle struct {
				Attestations []struct {
					Type      asn1.ObjectIdentifier
					Statement asn1.RawValue
				}
				Certificates []asn1.RawValue
			}
			if rest, err := asn1.Unmarshal(values.Bytes, &bundle); err != nil || len(rest) > 0 {
				t.Fatal(len(rest), err)
			}
			if len(bundle.Attestations) != 1 || len(bundle.Certificates) != 1 || bundle.Attestations[0].Type.String() != "1.3.6.1.4.1.41482.3.1" ||
				!bytes.Equal(bundle.Attestations[0].Statement.FullBytes, chain[0].Raw) || !bytes.Equal(bundle.Certificates[0].FullBytes, chain[1].Raw) {
				t.Errorf("the bundle is %+v", bundle)
			}
		})
	}
}
