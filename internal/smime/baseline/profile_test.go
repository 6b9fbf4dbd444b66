package baseline_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// TestEveryProfile: for each validation type and generation, a certificate with whatever its
// profile allows has no finding, and each attribute that is asked for, or not allowed, has
// one (SMBR sections 6.3.2, 7.1.2.3 and 7.1.4.2.3 to 7.1.4.2.6).
func TestEveryProfile(t *testing.T) {
	key := newKey(t)
	const org, id, unit, street, code = "2.5.4.10", "2.5.4.97", "2.5.4.11", "2.5.4.9", "2.5.4.17"
	const given, sur, pseudonym, title, description = "2.5.4.42", "2.5.4.4", "2.5.4.65", "2.5.4.12", "2.5.4.13"
	values := map[string]string{
		org: "Example GmbH", id: "NTRDE-DER3306.HRB12345", unit: "Sales", street: "Main Street 1", code: "53111", "2.5.4.7": "Bonn", "2.5.4.8": "NRW", "2.5.4.6": "DE",
		given: "Kim", sur: "Lee", pseudonym: "kimmy", title: "Dr.", description: "text", "2.5.4.5": "4711", "1.2.840.113549.1.9.1": "kim@example.com",
	}
	always, place := []string{"2.5.4.5", "1.2.840.113549.1.9.1"}, []string{"2.5.4.7", "2.5.4.8", "2.5.4.6"}
	for validation, type1 := range map[uint64]struct {
		name             string
		needed, optional []string // a person is needed by the later generations alone
	}{
		1: {"mailbox", nil, nil},
		2: {"organization", []string{org, id}, append([]string{unit}, place...)},
		3: {"sponsored", []string{org, id}, append([]string{unit, title}, place...)},
		4: {"individual", nil, append([]string{title}, place...)},
	} {
		for generation := uint64(1); generation <= 3; generation++ {
			optional := slices.Concat(always, type1.optional)
			if validation > 1 && generation < 3 {
				optional = append(optional, street, code)
			}
			if validation > 1 && generation == 1 {
				optional = append(optional, description)
			}
			person := []string(nil)
			if validation > 2 {
				person = []string{given, sur}
			}
			issued := func(change func(*x509.Certificate), attributes ...string) []string {
				template := good(t, key)
				template.Policies, template.Subject.ExtraNames = []x509.OID{policy(t, validation, generation)}, nil
				if generation == 1 {
					template.NotBefore = time.Date(2025, 7, 14, 0, 0, 0, 0, time.UTC)
				}
				for _, a := range attributes {
					add(template, a, values[a])
				}
				change(template)
				var ids []string
				for _, f := range baseline.Check(issue(t, template, key), baseline.Profile{}) {
					ids = append(ids, f.ID)
				}
				return ids
			}
			unchanged := func(*x509.Certificate) {}
			label := fmt.Sprintf("%s, generation %d", type1.name, generation)
			all := slices.Concat(type1.needed, person, optional)
			for name, c := range map[string]struct {
				got  []string
				want string
			}{
				"all that is allowed": {issued(unchanged, all...), ""},
				"all that is needed":  {issued(unchanged, slices.Concat(type1.needed, person)...), ""},
				"the longest time": {issued(func(c *x509.Certificate) {
					c.NotAfter = c.NotBefore.AddDate(0, 0, map[bool]int{true: 1184, false: 824}[generation == 1])
				}, all...), ""},
				"too long a time": {issued(func(c *x509.Certificate) {
					c.NotAfter = c.NotBefore.AddDate(0, 0, map[bool]int{true: 1185, false: 825}[generation == 1])
				}, all...), "smbr-validity"},
				"a client's purpose": {issued(func(c *x509.Certificate) {
					c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
				}, all...), map[bool]string{true: "smbr-extended-key-usage-prohibited"}[generation == 3]},
				"a server's purpose": {issued(func(c *x509.Certificate) {
					c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
				}, all...), "smbr-extended-key-usage-prohibited"},
				"LDAP beside http": {issued(func(c *x509.Certificate) {
					c.CRLDistributionPoints = append(c.CRLDistributionPoints, "ldap://ldap.example.com/cn=ca")
				}, all...), map[bool]string{true: "smbr-crl-scheme"}[generation > 1]},
				"a principal name": {issued(func(c *x509.Certificate) {
					body := slices.Concat(tlv(0x81, []byte("kim@example.com")), tlv(0xa0, append([]byte("\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"), tlv(0xa0, tlv(0x0c, []byte("kim@example.com")))...)))
					c.EmailAddresses, c.ExtraExtensions = nil, append(c.ExtraExtensions, extension("2.5.29.17", false, tlv(0x30, body)...))
				}, all...), map[bool]string{true: "smbr-san-other-name"}[generation == 3]},
				"directory attributes": {issued(func(c *x509.Certificate) {
					c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: object("2.5.29.9"), Value: []byte{0x30, 0}})
				}, all...), map[bool]string{true: "smbr-directory-attributes"}[generation > 1]},
			} {
				if got := strings.Join(c.got, " "); got != c.want {
					t.Errorf("%s, %s: %q, want %q", label, name, got, c.want)
				}
			}
			for _, a := range slices.Concat(type1.needed) {
				without := slices.DeleteFunc(slices.Clone(all), func(b string) bool { return a == b })
				if got := issued(unchanged, without...); !slices.Equal(got, []string{"smbr-attribute-missing"}) {
					t.Errorf("%s without %s: %q", label, a, got)
				}
			}
			if got := issued(unchanged, slices.Concat(type1.needed, optional)...); person != nil && !slices.Contains(got, "smbr-attribute-missing") {
				t.Errorf("%s without a person: %q", label, got)
			}
			for a := range values {
				if a == pseudonym || slices.Contains(all, a) {
					continue
				}
				if got := issued(unchanged, append(slices.Clone(all), a)...); !slices.Contains(got, "smbr-attribute-prohibited") {
					t.Errorf("%s with %s: %q", label, a, got)
				}
			}
		}
	}
}
