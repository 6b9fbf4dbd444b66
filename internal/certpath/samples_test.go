package certpath_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certpath"
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
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
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
	args := []string{"verify", "-purpose", "any", "-attime", strconv.FormatInt(s.now.Unix(), 10), "-CAfile", write("roots.pem", s.roots...)}
	if len(s.pool) > 0 {
		args = append(args, "-untrusted", write("pool.pem", s.pool...))
	}
	err := exec.CommandContext(t.Context(), "openssl", append(args, write("leaf.pem", s.leaf))...).Run()
	return err == nil
}

func readSample(t testing.TB, path string) []*x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		certs = append(certs, parse(t, block.Bytes))
	}
	return certs
}

// TestSamples: the situations of others are judged as they expect.
func TestSamples(t *testing.T) {
	folders, _ := filepath.Glob(filepath.Join(samples, "chains", "*"))
	if len(folders) == 0 {
		t.Skip("no samples in " + samples)
	}
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) // the samples were made then
	right := map[string]int{}
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
	}
	t.Logf("of %d situations are judged rightly: %v", len(folders), right)
}
