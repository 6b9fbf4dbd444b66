package smime_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

func encode(t testing.TB, chain []*x509.Certificate) []byte {
	t.Helper()
	data, err := certificate.EncodePKCS7(chain)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPKCS7OpenSSL: openssl reads the file, finds the certificates in the order
// given, which is not the sorted one in at least one direction, and no CRLs.
func TestPKCS7OpenSSL(t *testing.T) {
	chain := certtest.Certs(goodChain(t)...)
	backwards := slices.Clone(chain)
	slices.Reverse(backwards)
	for _, list := range [][]*x509.Certificate{chain, backwards, chain[:1]} {
		data := encode(t, list)
		printed := openssl(t, data, "pkcs7", "-print_certs", "-inform", "PEM")
		var read []*x509.Certificate
		for rest := printed; strings.Contains(rest, "-----BEGIN"); {
			rest = rest[strings.Index(rest, "-----BEGIN"):]
			end := strings.Index(rest, "-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")
			read = append(read, certtest.Parse(t, fromPEM(t, []byte(rest[:end]))))
			rest = rest[end:]
		}
		certtest.Same(t, read, list)

		tree := openssl(t, data, "asn1parse", "-inform", "PEM")
		var fields []string // of SignedData, which is at depth 2
		for line := range strings.Lines(tree) {
			if strings.Contains(line, ":d=3 ") {
				words := strings.Fields(line)
				i := slices.IndexFunc(words, func(w string) bool { return w == "prim:" || w == "cons:" })
				fields = append(fields, strings.Join(words[i:], " "))
			}
		}
		want := []string{"prim: INTEGER :01", "cons: SET", "cons: SEQUENCE", "cons: cont [ 0 ]", "cons: SET"}
		if !slices.Equal(fields, want) {
			t.Errorf("the fields of SignedData are %q, want %q", fields, want)
		}
	}
}

func TestEncodePKCS7Refuses(t *testing.T) {
	for name, chain := range map[string][]*x509.Certificate{"nothing": nil, "nil": {nil}} {
		if data, err := certificate.EncodePKCS7(chain); err == nil {
			t.Errorf("%s: encoded as %q", name, data)
		}
	}
}

// TestPKCS7Order: whatever the list, doublets included, the same list comes back.
func TestPKCS7Order(t *testing.T) {
	pool := certtest.Certs(goodChain(t)...)
	for i := range 5 {
		pool = append(pool, certtest.Issue(t, certtest.NewRoot(t, fmt.Sprint("Other ", i)), certtest.NewKey(t, elliptic.P256()), nil).Cert)
	}
	property := func(seed uint64, length uint8) bool {
		random := rand.New(rand.NewPCG(seed, 1))
		list := make([]*x509.Certificate, 1+int(length)%20)
		for i := range list {
			list[i] = pool[random.IntN(len(pool))]
		}
		data, err := certificate.EncodePKCS7(list)
		if err != nil {
			return false
		}
		back, err := certificate.Parse(data)
		return err == nil && slices.EqualFunc(back, list, (*x509.Certificate).Equal)
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

func TestFingerprint(t *testing.T) {
	cert := goodChain(t)[0].Cert
	text := openssl(t, cert.Raw, "x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256")
	_, want, _ := strings.Cut(strings.TrimSpace(text), "=")
	want = strings.ToLower(strings.ReplaceAll(want, ":", ""))
	if got := certificate.Fingerprint(cert); got != want || len(got) != 64 {
		t.Errorf("fingerprint %s, openssl says %s", got, want)
	}
}

// FuzzCheck: whatever certificates were read survive packing, and can be looked at
// safely.
func FuzzCheck(f *testing.F) {
	chain := certtest.Certs(goodChain(f)...)
	f.Add(chain[0].Raw)
	f.Add(append(toPEM("CERTIFICATE", chain[0].Raw), toPEM("CERTIFICATE", chain[1].Raw)...))
	f.Add(encode(f, chain))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := certificate.Parse(data)
		if err != nil {
			return
		}
		back, err := certificate.Parse(encode(t, list))
		if err != nil {
			t.Fatal(err)
		}
		certtest.Same(t, back, list)
		for _, finding := range smime.Check(new(certpath.Verifier), list, smime.CheckOptions{Email: email, Now: now()}) {
			if !printableText(finding.Message) || finding.ID == "" || finding.Severity == "" {
				t.Fatalf("finding %+q", finding)
			}
		}
		if chain, err := new(certpath.Verifier).Build(list[0], certpath.NewPool(list), certpath.Options{Now: now()}); err == nil && !chain[0].Equal(list[0]) {
			t.Fatal("the chain begins with another certificate")
		}
	})
}
