package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// wordsOfGo are what errors of Go's network packages and of protocol libraries have in
// them, and what tells nobody anything.
var wordsOfGo = regexp.MustCompile(`dial|\btcp\b|x509:|tls:|\bEOF\b|lookup|\bread:|\bwrite:|\bread tcp|Get "|Post "|net/http|malformed|->|connect:|proxyconnect|LDAP Result|syscall|i/o timeout|use of closed|failed to connect to|%!`)

// TestServersThatDoNotAnswer: whatever a server, or what stands in its place, does on the
// wire, a person is told in words, and what to do.
func TestServersThatDoNotAnswer(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	t.Setenv("CSE_PIV_RETRY_BASE", "1ms")
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"t","token_type":"Bearer","expires_in":3600}`)
	}))
	defer tokens.Close()
	issuing, key, authority := newAuthority(t)
	for name, address := range badServers(t) {
		plain, encrypted := "http://"+address, "https://"+address
		for what, args := range map[string][]string{
			"Gmail":                {"keypair", "list", "ada@example.com", "--credentials", serviceAccount(t, tokens.URL), "--gmail-endpoint", plain},
			"Gmail by TLS":         {"keypair", "list", "ada@example.com", "--credentials", serviceAccount(t, tokens.URL), "--gmail-endpoint", encrypted},
			"Gmail's tokens":       {"keypair", "list", "ada@example.com", "--credentials", serviceAccount(t, encrypted), "--gmail-endpoint", plain},
			"a directory":          {"batch", "ldap://" + address + "/dc=example", "--dry-run"},
			"a directory by TLS":   {"batch", "ldaps://" + address + "/dc=example", "--dry-run"},
			"PostgreSQL":           {"report", "--store", "postgres://tester@" + address + "/ledger"},
			"PostgreSQL by TLS":    {"report", "--store", "postgres://tester@" + address + "/ledger?sslmode=verify-full"},
			"an issuer's address":  {"cert", "check", leafPointingTo(t, issuing, key, plain), "--fetch", "--allow-private-addresses"},
			"a CRL's address":      {"cert", "check", leafPointingTo(t, issuing, key, plain), "--chain", authority, "--revocation", "hard", "--allow-private-addresses"},
			"an issuer's by https": {"cert", "check", leafPointingTo(t, issuing, key, encrypted), "--fetch", "--allow-private-addresses"},
		} {
			var out, messages bytes.Buffer
			code := Run(t.Context(), args, stdio.Streams{In: bytes.NewReader(nil), Out: &out, Err: &messages})
			said := out.String() + messages.String()
			if found := wordsOfGo.FindString(said); found != "" || code == 0 {
				t.Errorf("%s, %s: exit code %d, %q in:\n%s", what, name, code, found, said)
			}
			t.Logf("%s, %s:\n%s", what, name, said)
		}
	}
}

// badServers are the addresses of what does not answer as it should.
func badServers(t *testing.T) map[string]string {
	t.Helper()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	page := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><title>Sign in</title></html>")
	}))
	page.Config.ReadTimeout = time.Second // for those who wait for the server to begin
	page.Start()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog, untrusted.Config.ReadTimeout = log.New(io.Discard, "", 0), time.Second
	untrusted.StartTLS()
	t.Cleanup(func() { page.Close(); untrusted.Close() })
	return map[string]string{
		"nobody listens":    closed.Addr().String(),
		"the name is wrong": "no.invalid:4711",
		"a sign-in page":    page.Listener.Addr().String(),
		"another authority": untrusted.Listener.Addr().String(),
		"closes":            speaking(t, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 4096)) }),
		"resets":            speaking(t, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 4096)); _ = c.SetLinger(0) }),
		"another protocol": speaking(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "220 mail.example ESMTP\r\n")
			_, _ = c.Read(make([]byte, 4096))
		}),
	}
}

// speaking serves connections until the test ends, and returns the address.
func speaking(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serve(connection.(*net.TCPConn))
			_ = connection.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	return listener.Addr().String()
}

// serviceAccount writes a key file whose tokens come from there.
func serviceAccount(t *testing.T, tokens string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "desk@project.iam.gserviceaccount.com", "client_id": "1", "private_key_id": "1", "token_uri": tokens + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return written(t, "key.json", data)
}

// newAuthority makes a CA that issues leaves, and writes its certificate and its root's.
func newAuthority(t *testing.T) (issuing *x509.Certificate, key *ecdsa.PrivateKey, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	root, issuing := authority(1, "Root"), authority(2, "Issuing")
	var both []byte
	for _, certificate := range []*x509.Certificate{root, issuing} {
		der, err := x509.CreateCertificate(rand.Reader, certificate, root, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return issuing, key, written(t, "authorities.pem", both)
}

// leafPointingTo writes a leaf that names that server for its issuer and its revocation
// list.
func leafPointingTo(t *testing.T, issuing *x509.Certificate, key *ecdsa.PrivateKey, server string) string {
	t.Helper()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "Ada"}, EmailAddresses: []string{"ada@example.com"}, NotBefore: issuing.NotBefore, NotAfter: issuing.NotAfter,
		IssuingCertificateURL: []string{server + "/issuer.cer"}, CRLDistributionPoints: []string{server + "/list.crl"},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, issuing, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return written(t, "leaf.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func written(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
