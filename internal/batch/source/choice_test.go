package source_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/batch/source/ldaptest"
	"github.com/cse-piv/cse-piv/internal/certificate"
)

// issued makes a certificate of an authority that has that name, months old, with a
// policy and a template where they are given.
func issued(t testing.TB, authority, email string, months int, policy, template string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: email}, EmailAddresses: []string{email},
		NotBefore: time.Now().AddDate(0, -months, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	if policy != "" {
		oid, err := x509.ParseOID(policy)
		if err != nil {
			t.Fatal(err)
		}
		leaf.Policies = []x509.OID{oid}
	}
	if template != "" {
		oid, err := x509.ParseOID(template)
		if err != nil {
			t.Fatal(err)
		}
		der, err := oid.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		value := append([]byte{0x06, byte(len(der))}, der...)
		value = append(value, 0x02, 1, 100, 0x02, 1, 3)
		leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 7}, Value: append([]byte{0x30, byte(len(value))}, value...)}}
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: authority, Organization: []string{"Example"}}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

const cardPolicy, cardTemplate = "1.3.6.1.4.1.99999.7.1", "1.3.6.1.4.1.311.21.8.1.2.3"

// TestChoiceInADirectory: a newer soft certificate does not come before the card's
// where it is said which that is; and where nothing is said, that there was a choice.
func TestChoiceInADirectory(t *testing.T) {
	card := issued(t, "Card CA 2", "ada@example.com", 6, cardPolicy, cardTemplate)
	soft := issued(t, "Soft CA", "ada@example.com", 1, "1.3.6.1.4.1.99999.7.2", "")
	bob := issued(t, "Soft CA", "bob@example.com", 1, "", "")
	const attribute = "userCertificate;binary"
	s := ldaptest.Start(t, ldaptest.Entry("ada", "mail", "ada@example.com", attribute, string(card.Raw), attribute, string(soft.Raw))+
		ldaptest.Entry("bob", "mail", "bob@example.com", attribute, string(bob.Raw)))
	for name, test := range map[string]struct {
		choose source.Choice
		want   *x509.Certificate
		told   bool
	}{
		"nothing":         {source.Choice{}, soft, true},
		"issuer":          {source.Choice{Issuers: []string{"card ca 2"}}, card, false},
		"whole name":      {source.Choice{Issuers: []string{"CN=Card CA 2,O=Example"}}, card, false},
		"one of issuers":  {source.Choice{Issuers: []string{"Card CA 1", "Card CA 2"}}, card, false},
		"both issuers":    {source.Choice{Issuers: []string{"Soft CA", "Card CA 2"}}, soft, true},
		"policy":          {source.Choice{Policies: []string{cardPolicy}}, card, false},
		"template":        {source.Choice{Policies: []string{cardTemplate}}, card, false},
		"issuer, policy":  {source.Choice{Issuers: []string{"Card CA 2"}, Policies: []string{cardPolicy}}, card, false},
		"part of a name":  {source.Choice{Issuers: []string{"Card"}}, nil, false},
		"not of the same": {source.Choice{Issuers: []string{"Soft CA"}, Policies: []string{cardPolicy}}, nil, false},
	} {
		from, err := source.Open("ldap://"+s.Plain+"/"+ldaptest.Base, source.Options{Choose: test.choose})
		if err != nil {
			t.Fatal(err)
		}
		rows := collect(t, from)
		if len(rows) != 2 {
			t.Fatalf("%s: %q", name, summaries(t, rows))
		}
		if test.want == nil {
			if reason(t, rows[0]) != source.ReasonNotChosen || !strings.Contains(rows[0].Err.Error(), "none of the entry's 2 certificates") {
				t.Errorf("%s: %v", name, rows[0].Err)
			}
			continue
		}
		if !slices.Equal(leaves(t, rows[0]), []string{leafIs(certificate.UseBoth, test.want)}) {
			t.Errorf("%s: %q %v", name, leaves(t, rows[0]), rows[0].Err)
		}
		told := len(rows[0].Notes) == 1 && strings.Contains(rows[0].Notes[0], "of Soft CA") && strings.Contains(rows[0].Notes[0], "of Card CA 2") && strings.Contains(rows[0].Notes[0], "by issuer or policy")
		if told != test.told || len(rows[0].Notes) > 1 || rows[1].Notes != nil {
			t.Errorf("%s: %q", name, rows[0].Notes)
		}
	}
}

func TestChoiceCheck(t *testing.T) {
	if err := (source.Choice{Policies: []string{cardPolicy}}).Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "card", "1.3.", "3.1"} {
		if err := (source.Choice{Policies: []string{bad}}).Check(); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
