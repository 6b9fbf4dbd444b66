package issuer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

func fileIssuerIn(t *testing.T, dir string) Issuer {
	t.Helper()
	i, err := NewFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestFileExchange(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	dir := filepath.Join(t.TempDir(), "new")
	i := fileIssuerIn(t, dir)
	request := newRequest(t, key, nil)
	request.Attestation = []*x509.Certificate{ca.leaf(t, key.Public(), time.Now()), ca.root}

	_, err := i.Issue(t.Context(), request)
	var waiting *WaitingError
	if !errors.As(err, &waiting) || waiting.Dir != dir || waiting.Request != "carol@example.org.9d.csr" || waiting.Expected != "carol@example.org.9d.pem" {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"carol@example.org.9d.attestation.pem", "carol@example.org.9d.csr"}, names(t, dir)); diff != "" {
		t.Fatal(diff)
	}
	written, err := os.ReadFile(filepath.Join(dir, waiting.Request))
	if err != nil {
		t.Fatal(err)
	}
	if block, rest := pem.Decode(written); block == nil || !bytes.Equal(block.Bytes, request.CSR) || len(rest) > 0 {
		t.Errorf("request %s", written)
	}
	proof, err := os.ReadFile(filepath.Join(dir, "carol@example.org.9d.attestation.pem"))
	if err != nil || !bytes.Equal(proof, pemOf(request.Attestation...)) {
		t.Errorf("attestation %s, %v", proof, err)
	}

	// Asked again with a new signature of the same key, the request on its way
	// stays as it is.
	again := newRequest(t, key, nil)
	if _, err := i.Issue(t.Context(), again); !errors.As(err, &waiting) {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(filepath.Join(dir, waiting.Request)); err != nil || !bytes.Equal(now, written) {
		t.Errorf("the request was changed: %v", err)
	}

	leaf := ca.leaf(t, key.Public(), time.Now())
	write(t, dir, waiting.Expected, pemOf(leaf))
	write(t, dir, "chain.pem", pemOf(ca.root, ca.issuing))
	certs, err := i.Issue(t.Context(), request)
	if err != nil || len(certs) != 3 || !certs[0].Equal(leaf) || !slices.ContainsFunc(certs, ca.root.Equal) || !slices.ContainsFunc(certs, ca.issuing.Equal) {
		t.Fatal(certs, err)
	}
}

func TestFileFormats(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	old, leaf := ca.leaf(t, key.Public(), time.Now().Add(-time.Hour)), ca.leaf(t, key.Public(), time.Now())
	for name, data := range map[string][]byte{
		"carol@example.org.9d.pem":   pemOf(ca.root, ca.issuing, old, leaf),
		"carol@example.org.9d.crt":   slices.Concat([]byte("\xef\xbb\xbfsubject=Carol\r\n"), pemOf(leaf)),
		"carol@example.org.9d.cer":   leaf.Raw,
		"carol@example.org.9d.der":   raw([]*x509.Certificate{leaf, ca.issuing}),
		"carol@example.org.9d.p7b":   bundle(t, ca.root, leaf, ca.issuing, leaf),
		"carol@example.org.9d.p7pem": encodePEM("PKCS7", bundle(t, leaf, ca.issuing)),
	} {
		dir := t.TempDir()
		write(t, dir, name, data)
		certs, err := fileIssuerIn(t, dir).Issue(t.Context(), newRequest(t, key, nil))
		if err != nil || !certs[0].Equal(leaf) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for n, c := range certs {
			if slices.ContainsFunc(certs[n+1:], c.Equal) {
				t.Errorf("%s: %q twice", name, c.Subject)
			}
		}
	}
}

func TestFileOfAnotherKey(t *testing.T) {
	ca, key, other := newCA(t, nil), newKey(t), newKey(t)
	dir := t.TempDir()
	i := fileIssuerIn(t, dir)
	if _, err := i.Issue(t.Context(), newRequest(t, key, nil)); len(Waits(err)) != 1 {
		t.Fatal(err)
	}
	write(t, dir, "carol@example.org.9d.pem", pemOf(ca.leaf(t, other.Public(), time.Now()), ca.issuing))
	_, err := i.Issue(t.Context(), newRequest(t, key, nil))
	var found *OtherKeyError
	if !errors.Is(err, ErrOtherKey) || !strings.Contains(err.Error(), "carol@example.org.9d.pem") || !errors.As(err, &found) || found.Request != "carol@example.org.9d.csr" {
		t.Fatal(err)
	}
	for _, side := range []string{"asked for " + describeKey(key.Public()), "got " + describeKey(other.Public())} {
		if !strings.Contains(err.Error(), side) {
			t.Errorf("%v does not name %q", err, side)
		}
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("left %q", got)
	}
	// The right one beside it counts.
	write(t, dir, "carol@example.org.9d.crt", pemOf(ca.leaf(t, key.Public(), time.Now())))
	if _, err := i.Issue(t.Context(), newRequest(t, key, nil)); err != nil {
		t.Error(err)
	}
}

func TestRequestOfAnotherKeyStays(t *testing.T) {
	ca, key, other := newCA(t, nil), newKey(t), newKey(t)
	for _, foreign := range []struct {
		name string
		data []byte
	}{
		{"carol@example.org.9d.csr", encodePEM("CERTIFICATE REQUEST", newRequest(t, other, nil).CSR)},
		{"carol@example.org.9d.csr", []byte("somebody's notes")},
		{"carol@example.org.9d.attestation.pem", pemOf(ca.leaf(t, other.Public(), time.Now()))},
	} {
		name, data := foreign.name, foreign.data
		dir := t.TempDir()
		write(t, dir, name, data)
		request := newRequest(t, key, nil)
		request.Attestation = []*x509.Certificate{ca.leaf(t, key.Public(), time.Now())}
		i := fileIssuerIn(t, dir)
		want := "carol@example.org.9d." + keyName(key.Public())
		for range 2 { // asked again, the request has the same name
			_, err := i.Issue(t.Context(), request)
			waits := Waits(err)
			if len(waits) != 1 || waits[0].Request != want+".csr" || waits[0].Expected != want+".pem" {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, data) || len(names(t, dir)) != 3 {
			t.Errorf("%s was changed; %q", name, names(t, dir))
		}
		// Those names may be taken as well.
		write(t, dir, want+".csr", foreign.data)
		if _, err := i.Issue(t.Context(), request); !errors.Is(err, ErrOtherRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedCertificateFiles(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	good := pemOf(ca.leaf(t, key.Public(), time.Now()), ca.issuing)
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("soon"), "cut off": good[:len(good)-40], "damaged in front": slices.Concat([]byte("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"), good),
		"private key": slices.Concat([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), good), "trailing": append(ca.root.Raw[:len(ca.root.Raw):len(ca.root.Raw)], 1, 2, 3),
		"huge": make([]byte, certificate.MaxFile+1), "nested without an end": bytes.Repeat([]byte{0x30, 0x80}, certificate.MaxFile/2),
	} {
		dir := t.TempDir()
		if _, err := fileIssuerIn(t, dir).Issue(t.Context(), newRequest(t, key, nil)); len(Waits(err)) != 1 {
			t.Fatal(err)
		}
		path := write(t, dir, "carol@example.org.9d.pem", data)
		_, err := fileIssuerIn(t, dir).Issue(t.Context(), newRequest(t, key, nil))
		var waiting *WaitingError
		if err == nil || errors.As(err, &waiting) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	write(t, dir, "carol@example.org.9d.pem", good)
	write(t, dir, "chain.pem", []byte("nothing"))
	if _, err := fileIssuerIn(t, dir).Issue(t.Context(), newRequest(t, key, nil)); err == nil || !strings.Contains(err.Error(), "chain.pem") {
		t.Error(err)
	}
}

func TestFileNamesStayInTheFolder(t *testing.T) {
	for email, want := range map[string]string{
		"carol@example.org": "carol@example.org", "a/b@x.org": "a%2Fb@x.org", `"..\\x"@x.org`: "%22..%5C%5Cx%22@x.org",
		"a+b=c-d_e@x.org": "a+b=c-d_e@x.org", "käthe@x.org": "k%C3%A4the@x.org", "a*?|b@x.org": "a%2A%3F%7Cb@x.org",
	} {
		if got := durable.FileName(email); got != want || filepath.Base(got) != got {
			t.Errorf("%s: %s, want %s", email, got, want)
		}
	}
}

// TestCaseOfAddresses: the same person is asked for and answered in any case.
func TestCaseOfAddresses(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	dir := filepath.Join(t.TempDir(), "ev[1")
	asked, again := newRequest(t, key, nil), newRequest(t, key, nil)
	asked.Email, again.Email = "Carol@Example.org", "carol@example.org"
	for _, request := range []Request{asked, again} {
		var waiting *WaitingError
		if _, err := fileIssuerIn(t, dir).Issue(t.Context(), request); !errors.As(err, &waiting) || waiting.Request != "Carol@Example.org.9d.csr" {
			t.Error(err)
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("%q", got)
	}
	write(t, dir, "CAROL@example.org.9d.PEM", pemOf(ca.leaf(t, key.Public(), time.Now())))
	for _, request := range []Request{asked, again} {
		if certs, err := fileIssuerIn(t, dir).Issue(t.Context(), request); err != nil || len(certs) != 1 {
			t.Error(certs, err)
		}
	}
}

// TestLinksInTheFolder: neither a request nor an answer leads elsewhere.
func TestLinksInTheFolder(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	theirs := write(t, t.TempDir(), "theirs", pemOf(ca.leaf(t, key.Public(), time.Now())))
	for _, name := range []string{"carol@example.org.9d.pem", "carol@example.org.9d.csr"} {
		dir := t.TempDir()
		if err := os.Symlink(theirs, filepath.Join(dir, name)); err != nil {
			t.Skipf("NOT TESTED: this system makes no symbolic links: %v", err)
		}
		if _, err := fileIssuerIn(t, dir).Issue(t.Context(), newRequest(t, key, nil)); !errors.Is(err, durable.ErrLink) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	key := newKey(t)
	good := newRequest(t, key, nil)
	broken := good
	broken.CSR = slices.Clone(good.CSR)
	broken.CSR[len(broken.CSR)-1] ^= 1
	for name, r := range map[string]Request{
		"signature": broken,
		"no CSR":    {Email: carol, Slot: "9d"},
		"address":   {Email: "../../x", Slot: "9d", CSR: good.CSR},
		"slot":      {Email: carol, Slot: "../9d", CSR: good.CSR},
		"use":       {Email: carol, Slot: "9d", CSR: good.CSR, Use: "all"},
	} {
		dir := t.TempDir()
		if _, err := fileIssuerIn(t, dir).Issue(t.Context(), r); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, dir); len(got) != 0 {
			t.Errorf("%s: left %q", name, got)
		}
	}
	if _, err := NewFile(""); err == nil {
		t.Error("no folder was accepted")
	}
	if _, err := NewFile(write(t, t.TempDir(), "f", nil)); err == nil {
		t.Error("a file was accepted as folder")
	}
}

// FuzzCertificates feeds what people could put into the folder to the readers.
func FuzzCertificates(f *testing.F) {
	ca, key := newCA(f, nil), newKey(f)
	leaf := ca.leaf(f, key.Public(), time.Now())
	f.Add(pemOf(leaf, ca.issuing))
	f.Add(leaf.Raw)
	f.Add(bundle(f, leaf, ca.issuing))
	f.Add(encodePEM("PKCS7", bundle(f, leaf)))
	f.Add(encodePEM("CERTIFICATE REQUEST", newRequest(f, key, nil).CSR))
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := certificate.Parse(data)
		if (err == nil) == (len(certs) == 0) {
			t.Fatalf("%d certificates, %v", len(certs), err)
		}
		if _, err := leafFirst(certs, key.Public()); err == nil && !slices.ContainsFunc(certs, func(c *x509.Certificate) bool { return certificate.SameKey(c.PublicKey, key.Public()) }) {
			t.Fatal("a leaf from nowhere")
		}
		if k, err := firstKey(data); err == nil && k == nil {
			t.Fatal("no key and no error")
		}
	})
}
