package smime_test

import (
	"crypto/elliptic"
	"fmt"
	"time"

	"crypto/x509/pkix"
	"encoding/asn1"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/smime"
)

func TestAddresses(t *testing.T) {
	key := certtest.NewKey(t, elliptic.P256())
	for name, c := range map[string]struct {
		san, subject []string
		commonName   string
		mailbox      string // in SmtpUTF8Mailbox
		want         []string
		has, hasNot  []string
	}{
		"one": {
			san: []string{email}, want: []string{email},
			has:    []string{email, "KIM@EXAMPLE.COM", "Kim@Example.com"},
			hasNot: []string{"kim@example.co", "kim@example.com.", "im@example.com", " kim@example.com", "kim", "example.com", "kim@example.com\x00", "k.im@example.com", "kim+a@example.com"},
		},
		"several": {
			san: []string{"first@example.com", email}, want: []string{"first@example.com", email},
			has: []string{"first@example.com", email}, hasNot: []string{"first@example.com, kim@example.com"},
		},
		"upper case in the certificate": {
			san: []string{"KIM@Example.COM"}, want: []string{"KIM@Example.COM"}, has: []string{email},
		},
		"same in another case": {
			san: []string{"Kim@example.com", "kim@EXAMPLE.com"}, subject: []string{email}, want: []string{"Kim@example.com"}, has: []string{email},
		},
		"IDN": {
			san: []string{"kim@xn--bcher-kva.example"}, want: []string{"kim@xn--bcher-kva.example"},
			has:    []string{"kim@XN--BCHER-kva.example", "kim@bücher.example"},
			hasNot: []string{"kim@xn--bucher-kva.example", "kim@bucher.example"},
		},
		"IDN in the subject, unfolded": {
			subject: []string{"kim@bücher.example"}, want: []string{"kim@bücher.example"},
			has: []string{"Kim@bücher.example", "kim@xn--bcher-kva.example"}, hasNot: []string{"kim@bÜcher.example", "kim@bucher.example"},
		},
		"Kelvin sign": {
			subject: []string{"\u212Aim@example.com"}, want: []string{"\u212Aim@example.com"}, hasNot: []string{email},
		},
		"in the subject only": {
			subject: []string{email}, want: []string{email}, has: []string{email},
		},
		"common name only": {
			commonName: email, want: []string{email}, has: []string{"KIM@example.com"},
		},
		"common name that is no address": {
			commonName: "Kim <kim@example.com>", hasNot: []string{email},
		},
		"all three": {
			san: []string{"a@example.com"}, subject: []string{"b@example.com"}, commonName: "c@example.com",
			want: []string{"a@example.com", "b@example.com", "c@example.com"}, has: []string{"b@example.com"},
		},
		"plus": {
			san: []string{"kim+news@example.com"}, want: []string{"kim+news@example.com"},
			has: []string{"Kim+News@example.com"}, hasNot: []string{email},
		},
		"SmtpUTF8Mailbox": {
			mailbox: "kím@xn--bcher-kva.example", subject: []string{"kím@bücher.example"}, want: []string{"kím@xn--bcher-kva.example"},
			has: []string{"kím@bücher.example"}, hasNot: []string{"kim@bücher.example", "kÍm@bücher.example"},
		},
		"none": {commonName: "Kim", hasNot: []string{email, ""}},
	} {
		template := newLeaf(t)
		template.EmailAddresses = c.san
		template.Subject = pkix.Name{CommonName: c.commonName}
		for _, address := range c.subject {
			template.Subject.ExtraNames = append(template.Subject.ExtraNames, pkix.AttributeTypeAndValue{
				Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: address,
			})
		}
		if c.mailbox != "" {
			template.ExtraExtensions = []pkix.Extension{alternativeNames(t,
				otherName(t, "kim@corp.local", 1, 3, 6, 1, 4, 1, 311, 20, 2, 3), otherName(t, c.mailbox, 1, 3, 6, 1, 5, 5, 7, 8, 9))}
		}
		cert := certtest.Issue(t, template, key, nil).Cert
		if got := smime.EmailAddresses(cert); !slices.Equal(got, c.want) {
			t.Errorf("%s: addresses %q, want %q", name, got, c.want)
		}
		for _, address := range c.has {
			if !smime.HasAddress(cert, address) {
				t.Errorf("%s: has not %q", name, address)
			}
		}
		for _, address := range c.hasNot {
			if smime.HasAddress(cert, address) {
				t.Errorf("%s: has %q", name, address)
			}
		}
	}
}

// TestManyAddresses: a certificate with 20,000 addresses takes no time to look at.
func TestManyAddresses(t *testing.T) {
	good := goodChain(t)
	self := newLeaf(t)
	for i := range 20_000 {
		self.EmailAddresses = append(self.EmailAddresses, fmt.Sprintf("user%d@example.com", i))
	}
	crowded := certtest.Issue(t, self, certtest.NewKey(t, elliptic.P256()), good[1])
	began := time.Now()
	if got := len(smime.EmailAddresses(crowded.Cert)); got != 20_001 {
		t.Errorf("%d addresses", got)
	}
	smime.Check(new(certpath.Verifier), certtest.Certs(crowded, good[1], good[2]), smime.CheckOptions{Email: email, Now: now()})
	t.Logf("20,000 addresses looked at: %v", time.Since(began).Round(100*time.Microsecond))
}
