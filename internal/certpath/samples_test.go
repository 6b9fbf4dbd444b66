package certpath_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// samples is where situations lie that others made: see its README.md.
const samples = "../../../shared/samples"

// situation is a leaf, what is at hand to build a path from, and which roots are trusted.
type situation struct {
	leaf        *x509.Certificate
	pool, roots []*x509.Certificate
	now         time.Time
}

// valid tells what ours says: whether a path is built, and nothing is wrong with it.
func (s situation) valid() (bool, error) {
	var v certpath.Verifier
	options := certpath.Options{Now: s.now, Roots: certpath.NewPool(s.roots)}
	chain, err := v.Build(s.leaf, certpath.NewPool(append(s.pool, s.roots...)), options)
	if err != nil {
		return false, err
	}
	if faults := v.Validate(chain, options); len(faults) > 0 {
		return false, &certpath.NoPathError{Chain: chain, Fault: faults[0]}
	}
	return true, nil
}

// plain tells what crypto/x509 says.
func (s situation) plain() bool {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, cert := range s.roots {
		roots.AddCert(cert)
	}
	for _, cert := range s.pool {
		intermediates.AddCert(cert)
	}
	_, err := s.leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: s.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// openssl tells what `openssl verify` says.
func (s situation) openssl(t testing.TB) bool {
	t.Helper()
	testenv.Program(t, "openssl")
	dir := t.TempDir()
	write := func(name string, certs ...*x509.Certificate) string {
		var out bytes.Buffer
		for _, cert := range certs {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	args := []string{"verify", "-purpose", "any", "-policy", "anyPolicy", "-attime", strconv.FormatInt(s.now.Unix(), 10), "-CAfile", write("roots.pem", s.roots...)}
	if len(s.pool) > 0 {
		args = append(args, "-untrusted", write("pool.pem", s.pool...))
	}
	err := exec.CommandContext(t.Context(), "openssl", append(args, write("leaf.pem", s.leaf))...).Run()
	return err == nil
}

// word is a verdict in a table.
func word(valid bool) string {
	if valid {
		return "valid"
	}
	return "refused"
}

func readSample(t testing.TB, path string) []*x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		certs = append(certs, certtest.Parse(t, block.Bytes))
	}
	return certs
}

// TestSamples: the situations of others are judged as they expect.
func TestSamples(t *testing.T) {
	folders, _ := filepath.Glob(filepath.Join(samples, "chains", "*"))
	if len(folders) == 0 {
		t.Skip("NOT TESTED: no samples in " + samples)
	}
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) // the samples were made then
	right := map[string]int{}
	verdicts := certtest.NewVerdicts("Situations of others", "Each is a leaf, what is at hand to build a path from, and the roots that are trusted.", "situation", "expected, and why it is hard", "ours", "openssl verify", "crypto/x509")
	for _, folder := range folders {
		expected, err := os.ReadFile(filepath.Join(folder, "expect"))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.HasPrefix(string(expected), "true")
		s := situation{readSample(t, folder+"/leaf.pem")[0], readSample(t, folder+"/pool.pem"), readSample(t, folder+"/roots.pem"), now}
		got, err := s.valid()
		if got != want {
			t.Errorf("%s: valid: %v (%v); expected: %s", filepath.Base(folder), got, err, expected)
		}
		for who, says := range map[string]bool{"ours": got, "crypto/x509": s.plain(), "openssl": s.openssl(t)} {
			if says == want {
				right[who]++
			}
		}
		verdicts.Row(filepath.Base(folder), strings.TrimSpace(string(expected)), word(got), word(s.openssl(t)), word(s.plain()))
	}
	verdicts.Write(t, "1-chains")
	t.Logf("of %d situations are judged rightly: %v", len(folders), right)
}

// TestSampleCauses: certificates of others that are refused are refused for what is wrong
// with them, and those that only look strange are not.
func TestSampleCauses(t *testing.T) {
	for name, want := range map[string]struct {
		cause certpath.Cause
		text  string
	}{
		"issuer-ed448":      {certpath.CauseAlgorithm, "Ed448"},
		"sha1-intermediate": {certpath.CauseAlgorithm, "SHA1"},
		"unknown-critical":  {certpath.CauseCritical, "must be understood"},
		"smtputf8-in-san":   {},
		"san-upn":           {},
		"policy-uuid-oid":   {},
	} {
		folder := filepath.Join(samples, "certificates", name)
		if _, err := os.Stat(folder); err != nil {
			t.Skip(err)
		}
		s := situation{leaf: readSample(t, folder+"/leaf.pem")[0], pool: readSample(t, folder+"/chain.pem"), now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
		for _, cert := range s.pool {
			if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				s.roots = append(s.roots, cert)
			}
		}
		_, err := s.valid()
		cause, text := certpath.Cause(""), ""
		if none := (*certpath.NoPathError)(nil); errors.As(err, &none) {
			cause, text = none.Fault.Cause, none.Fault.Text
		}
		if cause != want.cause || !strings.Contains(text, want.text) {
			t.Errorf("%s: %q, %q; want %q with %q", name, cause, text, want.cause, want.text)
		}
		t.Log(name, text)
	}
}

// TestBadPools: pools that are no chains do no harm: two leaves, authorities alone, names
// with NUL and control characters, a bundle of a thousand.
func TestBadPools(t *testing.T) {
	good := goodChain(t)
	second := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), good[1])
	evil := certtest.NewIntermediate(t, "Issuing\x00\x1b[2J\u202e")
	evilIssuer := certtest.Issue(t, evil, certtest.NewKey(t, elliptic.P256()), good[2])
	strange := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), evilIssuer)
	var bundle []*x509.Certificate
	for i := range 1000 {
		template := certtest.NewRoot(t, fmt.Sprint("Authority ", i))
		bundle = append(bundle, certtest.Issue(t, template, good[1].Key, nil).Cert)
	}
	for name, c := range map[string]struct {
		leaf *certtest.Holder
		pool []*x509.Certificate
		want []*x509.Certificate
	}{
		"two leaves":             {good[0], certtest.Certs(second, good[0], good[1], good[2]), certtest.Certs(good...)},
		"the other one":          {second, certtest.Certs(second, good[0], good[1], good[2]), certtest.Certs(second, good[1], good[2])},
		"an authority alone":     {good[1], certtest.Certs(good[1:]...), certtest.Certs(good[1:]...)},
		"a root alone":           {good[2], nil, certtest.Certs(good[2])},
		"control characters":     {strange, certtest.Certs(evilIssuer, good[2]), certtest.Certs(strange, evilIssuer, good[2])},
		"a bundle of a thousand": {good[0], append(bundle, certtest.Certs(good...)...), certtest.Certs(good...)},
	} {
		got, err := new(certpath.Verifier).Build(c.leaf.Cert, certpath.NewPool(c.pool), certpath.Options{Now: now()})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		certtest.Same(t, got, c.want)
	}
	_, err := new(certpath.Verifier).Build(strange.Cert, nil, certpath.Options{Now: now()})
	if err == nil || !printableText(err.Error()) {
		t.Errorf("%q", err)
	}
}

// TestMissingIssuerAddress: where an issuer is missing, the error says where its
// certificate can be had.
func TestMissingIssuerAddress(t *testing.T) {
	good := goodChain(t)
	template := certtest.NewLeaf(t)
	template.IssuingCertificateURL = []string{"http://ca.example.com/issuing.cer"}
	leaf := certtest.Issue(t, template, certtest.NewKey(t, elliptic.P256()), good[1])
	_, err := new(certpath.Verifier).Build(leaf.Cert, certpath.NewPool(certtest.Certs(good[2])), certpath.Options{Now: now()})
	none := (*certpath.NoPathError)(nil)
	if !errors.As(err, &none) || none.Fault.Cause != certpath.CauseMissing || !slices.Equal(none.CAIssuers(), template.IssuingCertificateURL) ||
		!strings.Contains(err.Error(), template.IssuingCertificateURL[0]) {
		t.Errorf("%v", err)
	}
}
