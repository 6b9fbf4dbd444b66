package smime_test

import (
	"crypto/x509"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// samples is where certificates lie that others made: see its README.md.
const samples = "../../../shared/samples"

// readSample reads the certificates of a file of the samples.
func readSample(t testing.TB, path string) []*x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, path))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("NOT TESTED: there is no %s", filepath.Join(samples, path))
	}
	if err != nil {
		t.Fatal(err)
	}
	list, err := certificate.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return list
}

// checkSample checks a leaf with what is at hand of its chain.
func checkSample(t testing.TB, leaf *x509.Certificate, pool []*x509.Certificate, options smime.CheckOptions) []smime.Finding {
	t.Helper()
	verifier := new(certpath.Verifier)
	path := certpath.Options{Now: options.Now, Mail: true}
	chain, err := verifier.Build(leaf, certpath.NewPool(pool), path)
	var none *certpath.NoPathError
	if errors.As(err, &none) {
		chain = none.Chain
	} else if err != nil {
		t.Fatal(err)
	}
	return smime.Check(verifier, chain, options)
}

// TestSampleCertificates: the verdicts on certificates that were judged wrongly once.
// All of them stand below the same kind of authority, without a CRL and AIA; what is
// said about that is left out here, but for the sample that is about it.
func TestSampleCertificates(t *testing.T) {
	always := []string{"intermediate-crl", "leaf-aia", "chain-relaxed-profile"}
	verdicts := certtest.NewVerdicts("Certificates", "Each leaf has one property that was judged wrongly once. That these made-up authorities have neither CRL nor AIA, and that their root needs a relaxed profile, is left out.",
		"certificate", "rule", "what is found")
	wanted := map[string][]string{
		"aia-ldap-and-http":        nil,
		"aia-none":                 {"leaf-aia"},
		"email-in-other-attribute": {"leaf-subject-email"},
		"encrypt-only-single":      {"leaf-key-usage"},
		"issuer-ed448":             {"chain-algorithm", "intermediate-key-type", "leaf-signature-algorithm"},
		"policy-uuid-oid":          nil,
		"san-upn":                  nil,
		"sha1-intermediate":        {"chain-algorithm", "intermediate-signature-algorithm"},
		"smtputf8-in-san":          {"leaf-san"},
		"unknown-critical":         {"chain-constraints"},
		"validity-825-days":        {"leaf-validity"},
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		want := wanted[name]
		leaf := readSample(t, filepath.Join("certificates", name, "leaf.pem"))[0]
		findings := checkSample(t, leaf, readSample(t, filepath.Join("certificates", name, "chain.pem")), smime.CheckOptions{
			Email: "user@example.com", Use: certificate.UseBoth, Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
		})
		got := slices.DeleteFunc(ruleIDs(findings), func(id string) bool {
			return slices.Contains(always, id) && !(name == "aia-none" && id == "leaf-aia")
		})
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", name, got, want)
		}
		for _, f := range findings {
			if slices.Contains(got, f.ID) {
				verdicts.Row(name, f.ID, string(f.Severity)+": "+f.Message)
			}
			switch name + " " + f.ID {
			case "unknown-critical chain-constraints":
				if f.Where != "extensions.1.2.3.4.5" || !strings.Contains(f.Message, "1.2.3.4.5") {
					t.Errorf("%s: %+v", name, f)
				}
			case "issuer-ed448 chain-algorithm", "issuer-ed448 intermediate-key-type", "issuer-ed448 leaf-signature-algorithm":
				if !strings.Contains(f.Message, "Ed448") {
					t.Errorf("%s: %+v", name, f)
				}
			}
		}
		if len(got) == 0 {
			verdicts.Row(name, "", "nothing")
		}
	}
	verdicts.Write(t, "4-certificates")
}

// TestSampleCards: government cards sign with one certificate and decrypt with another,
// neither of which keeps to Google's profile; both can be registered where the root was
// added with a relaxed one, which is the only thing that the private profile says.
func TestSampleCards(t *testing.T) {
	folder, err := os.ReadDir(filepath.Join(samples, "cards", "authorities"))
	if err != nil {
		t.Skipf("NOT TESTED: there are no cards in %s", samples)
	}
	var pool []*x509.Certificate
	for _, file := range folder {
		pool = append(pool, readSample(t, filepath.Join("cards", "authorities", file.Name()))...)
	}
	const sign, encrypt = "4_-_ICAM_PIV_Dig_Sig_SP_800-73-4.crt", "5_-_ICAM_PIV_Key_Mgmt_SP_800-73-4.crt"
	for _, card := range []string{"13", "23", "37", "46"} {
		for _, c := range []struct {
			file string
			use  certificate.Use
			want []string // by the public profile, beside the one that says that the profile has to be relaxed
		}{
			{sign, certificate.UseSign, []string{"intermediate-extended-key-usage", "leaf-extended-key-usage-forbidden", "leaf-san-forbidden", "leaf-validity"}},
			{encrypt, certificate.UseEncrypt, []string{"intermediate-extended-key-usage", "leaf-encryption-only", "leaf-extended-key-usage", "leaf-san-forbidden", "leaf-validity"}},
		} {
			leaf := readSample(t, filepath.Join("cards", card, c.file))[0]
			options := smime.CheckOptions{Email: "icam.test.cards@gsa.gov", Use: c.use, Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
			var got []string
			for _, f := range checkSample(t, leaf, pool, options) {
				if f.Severity != smime.SeverityNote && f.ID != "chain-relaxed-profile" {
					got = append(got, f.ID)
				}
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, c.want) {
				t.Errorf("card %s, %s: %q", card, c.use, got)
			}
			options.Profile = smime.ProfilePrivate
			findings := checkSample(t, leaf, pool, options)
			if len(findings) != 1 || findings[0].ID != "chain-relaxed-profile" || smime.HasErrors(findings) {
				t.Errorf("card %s, %s, by the private profile: %+v", card, c.use, findings)
			}
			for _, rule := range c.want {
				if !strings.Contains(findings[0].Message, rule) {
					t.Errorf("card %s, %s: %s is not named: %s", card, c.use, rule, findings[0].Message)
				}
			}
			if signs, encrypts := smime.Allows(leaf); signs != (c.use == certificate.UseSign) || encrypts != (c.use == certificate.UseEncrypt) {
				t.Errorf("card %s, %s: allows signing %t, encryption %t", card, c.use, signs, encrypts)
			}
		}
	}
}
