package smime

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpareParts(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	marshal := func(value any) []byte {
		t.Helper()
		der, err := asn1.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	type qualifier struct {
		ID    asn1.ObjectIdentifier
		Value any
	}
	type information struct {
		Policy     asn1.ObjectIdentifier
		Qualifiers []qualifier `asn1:"omitempty"`
	}
	type notice struct {
		Text string `asn1:"utf8"`
	}
	cps, unotice := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
	policies := marshal([]information{
		{Policy: asn1.ObjectIdentifier{2, 23, 140, 1, 5, 3, 1}},
		{Policy: asn1.ObjectIdentifier{1, 2, 3, 4}, Qualifiers: []qualifier{{cps, "http://cps.example"}, {unotice, notice{strings.Repeat("n", 100)}}}},
	})
	for name, test := range map[string]struct {
		template x509.Certificate
		want     []Part
	}{
		"nothing": {x509.Certificate{EmailAddresses: []string{"a@x.example"}, CRLDistributionPoints: []string{"http://x.example/crl"}}, nil},
		"much": {x509.Certificate{
			CRLDistributionPoints: []string{"ldap:///CN=" + strings.Repeat("c", 189), "http://x.example/crl"},
			IssuingCertificateURL: []string{"http://x.example/ca", "LDAP://x.example"},
			ExtraExtensions: []pkix.Extension{
				{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 13}, Value: marshal(strings.Repeat("c", 300))},
				{Id: asn1.ObjectIdentifier{2, 5, 29, 32}, Value: policies},
				{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Value: make([]byte, 400)},
			},
		}, []Part{
			{"the Netscape comment", 304}, {"LDAP addresses of its revocation list", 200},
			{"the notices in its policies", 104}, {"LDAP addresses of its issuer", 16},
		}},
		"LDAP alone": {x509.Certificate{CRLDistributionPoints: []string{"ldap:///CN=crl"}}, nil},
		"policies that are none": {x509.Certificate{ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 13}},
		}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			test.template.SerialNumber = big.NewInt(1)
			der, err := x509.CreateCertificate(rand.Reader, &test.template, &test.template, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, SpareParts(leaf)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if noticeBytes([]byte("hello")) != 0 {
		t.Error("text has notices")
	}
}
