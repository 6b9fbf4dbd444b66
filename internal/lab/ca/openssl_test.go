package ca_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

func get(t *testing.T, url string) (*http.Response, []byte) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// writeCRL fetches a list and writes it as PEM.
func writeCRL(t *testing.T, url string) string {
	t.Helper()
	response, der := get(t, url)
	if kind := response.Header.Get("Content-Type"); kind != "application/pkix-crl" {
		t.Errorf("%s is %q", url, kind)
	}
	path := filepath.Join(t.TempDir(), "list.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenSSLVerifiesAndRevokes(t *testing.T) {
	authority, base := serve(t, ca.Config{})
	chain, err := authority.Sign(request(t, ecKey(t, elliptic.P256()), plain()), ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, issuing, root := writePEM(t, "leaf", chain[0]), writePEM(t, "issuing", chain[1]), writePEM(t, "root", chain[2])
	verify := func() (string, error) {
		return openssl(t, "verify", "-x509_strict", "-purpose", "smimesign", "-crl_check_all",
			"-CRLfile", writeCRL(t, base+"/crl/root.crl"), "-CRLfile", writeCRL(t, base+"/crl/issuing.crl"),
			"-CAfile", root, "-untrusted", issuing, "-verify_email", user, leaf)
	}
	if output, err := verify(); err != nil {
		t.Fatalf("openssl verify: %v\n%s", err, output)
	}
	if err := authority.Revoke(chain[0].SerialNumber); err != nil {
		t.Fatal(err)
	}
	if output, err := verify(); err == nil || !strings.Contains(output, "certificate revoked") {
		t.Errorf("after revocation openssl says: %v\n%s", err, output)
	}
	other, err := authority.Sign(request(t, ecKey(t, elliptic.P256()), plain()), ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	leaf = writePEM(t, "other", other[0])
	if output, err := verify(); err != nil {
		t.Errorf("another leaf: %v\n%s", err, output)
	}
	if err := authority.Revoke(chain[1].SerialNumber); err != nil {
		t.Fatal(err)
	}
	if output, err := verify(); err == nil || !strings.Contains(output, "certificate revoked") {
		t.Errorf("with the intermediate revoked openssl says: %v\n%s", err, output)
	}
}

func TestOpenSSLReadsOCSP(t *testing.T) {
	authority, base := serve(t, ca.Config{})
	chain, err := authority.Sign(request(t, ecKey(t, elliptic.P256()), plain()), ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, issuing, root := writePEM(t, "leaf", chain[0]), writePEM(t, "issuing", chain[1]), writePEM(t, "root", chain[1], chain[2])
	ask := func(extra ...string) string {
		t.Helper()
		output, err := openssl(t, append([]string{"ocsp", "-issuer", issuing, "-cert", leaf, "-url", base + "/ocsp", "-CAfile", root, "-no_nonce"}, extra...)...)
		if err != nil {
			t.Fatalf("openssl ocsp: %v\n%s", err, output)
		}
		return output
	}
	for _, hash := range []string{"-sha1", "-sha256"} {
		// The hash counts for the certificates that follow it.
		output, err := openssl(t, "ocsp", hash, "-issuer", issuing, "-cert", leaf, "-url", base+"/ocsp", "-CAfile", root, "-no_nonce")
		if err != nil || !strings.Contains(output, "leaf: good") || !strings.Contains(output, "Response verify OK") {
			t.Errorf("%s: %v\n%s", hash, err, output)
		}
	}
	if err := authority.Revoke(chain[0].SerialNumber); err != nil {
		t.Fatal(err)
	}
	if output := ask(); !strings.Contains(output, "leaf: revoked") {
		t.Errorf("after revocation: %s", output)
	}
	stranger, _ := serve(t, ca.Config{})
	foreign, err := stranger.Sign(request(t, ecKey(t, elliptic.P256()), plain()), ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	leaf = writePEM(t, "leaf", foreign[0])
	if output := ask(); !strings.Contains(output, "leaf: unknown") {
		t.Errorf("a foreign certificate: %s", output)
	}
}

func TestOpenSSLReadsEST(t *testing.T) {
	_, base := serve(t, ca.Config{})
	key := filepath.Join(t.TempDir(), "key.pem")
	csr := filepath.Join(t.TempDir(), "csr.der")
	if output, err := openssl(t, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-outform", "DER", "-out", csr,
		"-subj", "/CN=Alice", "-addext", "subjectAltName=email:"+user, "-addext", "keyUsage=critical,keyEncipherment"); err != nil {
		t.Fatalf("openssl req: %v\n%s", err, output)
	}
	der, err := os.ReadFile(csr)
	if err != nil {
		t.Fatal(err)
	}
	response, body := post(t, base+"/.well-known/est/simpleenroll", "application/pkcs10", base64.StdEncoding.EncodeToString(der))
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, body)
	}
	if kind := response.Header.Get("Content-Type"); kind != "application/pkcs7-mime; smime-type=certs-only" {
		t.Errorf("content type %q", kind)
	}
	text := printCertificates(t, body)
	if n := strings.Count(text, "subject="); n != 1 || !strings.Contains(text, "CN = Alice") {
		t.Errorf("%d certificates, want the issued one:\n%s", n, text)
	}
	leaf := filepath.Join(t.TempDir(), "leaf.pem")
	if err := os.WriteFile(leaf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	details, err := openssl(t, "x509", "-in", leaf, "-noout", "-ext", "keyUsage,extendedKeyUsage,subjectAltName")
	if err != nil {
		t.Fatalf("openssl x509: %v\n%s", err, details)
	}
	for _, want := range []string{"Key Encipherment", "E-mail Protection", "email:" + user} {
		if !strings.Contains(details, want) {
			t.Errorf("the leaf lacks %q:\n%s", want, details)
		}
	}
	if strings.Contains(details, "Digital Signature") {
		t.Errorf("key usage beyond the request:\n%s", details)
	}
	_, body = get(t, base+"/.well-known/est/cacerts")
	if text := printCertificates(t, body); strings.Count(text, "subject=") != 2 || !strings.Contains(text, "Root CA") || !strings.Contains(text, "Issuing CA") {
		t.Errorf("cacerts:\n%s", text)
	}
}

// printCertificates lets openssl read an EST body.
func printCertificates(t *testing.T, body []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "body.p7")
	text := "-----BEGIN PKCS7-----\n" + string(body) + "-----END PKCS7-----\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := openssl(t, "pkcs7", "-in", path, "-print_certs")
	if err != nil {
		t.Fatalf("openssl pkcs7: %v\n%s", err, output)
	}
	return output
}
