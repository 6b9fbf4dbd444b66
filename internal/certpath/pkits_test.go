package certpath_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// revocation are the sections of PKITS about revocation lists, which is another question
// here, and two tests whose authority may not sign them.
var revocation = []string{"4.4.", "4.5.", "4.14.", "4.15.", "4.7.4 ", "4.7.5 "}

// ours are the valid paths that are refused here, and why: names that read the same and
// have other octets, which RFC 5280 lets be and Gmail does not, and DSA.
var ours = map[string]certpath.Cause{
	"4.3.3 ": certpath.CauseSpelling, "4.3.4 ": certpath.CauseSpelling, "4.3.5 ": certpath.CauseSpelling,
	"4.3.10 ": certpath.CauseSpelling, "4.3.11 ": certpath.CauseSpelling, "4.1.4 ": certpath.CauseAlgorithm,
}

// unread are the tests whose certificates crypto/x509 does not read.
var unread = []string{"4.1.5 "}

// startsWith reports whether a test is one of those.
func startsWith(name string, list []string) bool {
	return slices.ContainsFunc(list, func(start string) bool { return strings.HasPrefix(name, start) })
}

// TestPKITS: NIST's Public Key Interoperability Test Suite, which Go's source has, is
// judged as NIST expects: those tests that are about paths and let every policy do.
func TestPKITS(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	suite := filepath.Join(strings.TrimSpace(string(root)), "src/crypto/x509/testdata/nist-pkits")
	text, err := os.ReadFile(filepath.Join(suite, "vectors.json"))
	if err != nil {
		t.Skipf("NOT TESTED: Go's source has no PKITS: %v", err)
	}
	var vectors []struct {
		Name                                                                        string
		CertPath, InitialPolicySet                                                  []string
		ShouldValidate                                                              bool
		InitialPolicyMappingInhibit, InitialExplicitPolicy, InitialAnyPolicyInhibit bool
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	all, right := 0, map[string]int{}
	verdicts := certtest.NewVerdicts("NIST's PKITS", "Those tests that are about paths and let every policy do.", "test", "NIST expects", "ours", "openssl verify", "crypto/x509", "why ours is another")
	for _, v := range vectors {
		if startsWith(v.Name, revocation) || !slices.Equal(v.InitialPolicySet, []string{"anyPolicy"}) ||
			v.InitialPolicyMappingInhibit || v.InitialExplicitPolicy || v.InitialAnyPolicyInhibit {
			continue
		}
		var path []*x509.Certificate
		for _, file := range v.CertPath {
			der, err := os.ReadFile(filepath.Join(suite, "certs", file))
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				t.Logf("%s: %v", v.Name, err)
				break
			}
			path = append(path, cert)
		}
		all++
		if len(path) < len(v.CertPath) { // refused while reading
			if v.ShouldValidate && !startsWith(v.Name, unread) {
				t.Errorf("%s: not read", v.Name)
			}
			continue
		}
		last := len(path) - 1
		s := situation{path[last], path[1:last], path[:1], now()}
		valid, err := s.valid()
		number, _, _ := strings.Cut(v.Name, " ")
		want, why := v.ShouldValidate, certpath.Cause("")
		if cause, known := ours[number+" "]; known {
			want, why = false, cause
			if none := (*certpath.NoPathError)(nil); !errors.As(err, &none) || none.Fault.Cause != cause {
				t.Errorf("%s: %v, want %s", v.Name, err, cause)
			}
		}
		if valid != want {
			t.Errorf("%s: valid: %v (%v), want %v", v.Name, valid, err, want)
		}
		for who, says := range map[string]bool{"ours": valid, "openssl": s.openssl(t), "crypto/x509": s.plain()} {
			if says == v.ShouldValidate {
				right[who]++
			} else if who == "openssl" {
				t.Logf("%s: openssl says %v", v.Name, says)
			}
		}
		verdicts.Row(v.Name, word(v.ShouldValidate), word(valid), word(s.openssl(t)), word(s.plain()), string(why))
	}
	verdicts.Write(t, "3-pkits")
	t.Logf("of %d tests are judged rightly: %v", all, right)
}
