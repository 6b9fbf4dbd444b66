package ca_test

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/smallstep/pkcs7"
)

func post(t *testing.T, url, contentType, body string) (*http.Response, []byte) {
	t.Helper()
	response, err := http.Post(url, contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, answer
}

func TestESTRefusesClearly(t *testing.T) {
	_, base := serve(t, ca.Config{})
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := base64.StdEncoding.EncodeToString(request(t, ecKey(t, elliptic.P256()), plain()).Raw)
	for name, test := range map[string]struct {
		contentType, body string
		status            int
		says              string
	}{
		"Ed25519":      {"application/pkcs10", base64.StdEncoding.EncodeToString(request(t, edKey, plain()).Raw), 400, "key type not supported"},
		"content type": {"text/plain", good, 415, "application/pkcs10"},
		"not base64":   {"application/pkcs10", "&&&", 400, "base64"},
		"empty":        {"application/pkcs10", " \n", 400, "empty"},
		"not PKCS#10":  {"application/pkcs10", "MAA=", 400, "PKCS#10"},
		"too large":    {"application/pkcs10", strings.Repeat("A", 1<<17), 400, "too large"},
	} {
		response, body := post(t, base+"/.well-known/est/simpleenroll", test.contentType, test.body)
		if response.StatusCode != test.status || !strings.Contains(string(body), test.says) {
			t.Errorf("%s: %s %q, want %d and %q", name, response.Status, body, test.status, test.says)
		}
	}
	if response, _ := get(t, base+"/.well-known/est/simpleenroll"); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET simpleenroll: %s", response.Status)
	}
	if response, _ := get(t, base+"/.well-known/est/serverkeygen"); response.StatusCode != http.StatusNotFound {
		t.Errorf("serverkeygen: %s", response.Status)
	}
	if response, _ := get(t, base+"/.well-known/est/csrattrs"); response.StatusCode != http.StatusNoContent {
		t.Errorf("csrattrs: %s", response.Status)
	}
}

func TestESTFollowsProfile(t *testing.T) {
	authority, base := serve(t, ca.Config{})
	expired, err := ca.Named("expired", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	expired.NoIntermediate = true
	authority.SetProfile(expired)
	csr := request(t, ecKey(t, elliptic.P384()), plain())
	// RFC 8951: line breaks anywhere.
	body := base64.StdEncoding.EncodeToString(csr.Raw)
	body = body[:50] + "\r\n" + body[50:] + "\n"
	response, answer := post(t, base+"/.well-known/est/simpleenroll", "application/pkcs10", body)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, answer)
	}
	issued := parseEST(t, answer)
	if len(issued.Certificates) != 1 || !issued.Certificates[0].NotAfter.Before(time.Now()) {
		t.Error("not an expired certificate")
	}
	_, answer = get(t, base+"/.well-known/est/cacerts")
	if n := len(parseEST(t, answer).Certificates); n != 1 {
		t.Errorf("%d certificates in cacerts, want the root alone", n)
	}
}

func parseEST(t *testing.T, body []byte) *pkcs7.PKCS7 {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(body), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := pkcs7.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func FuzzEnroll(f *testing.F) {
	authority, err := ca.New(ca.Config{BaseURL: "http://127.0.0.1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(base64.StdEncoding.EncodeToString(request(f, ecKey(f, elliptic.P256()), plain()).Raw)))
	f.Add([]byte("MAA="))
	f.Fuzz(func(t *testing.T, body []byte) {
		recorder := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/.well-known/est/simpleenroll", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/pkcs10")
		authority.ServeHTTP(recorder, r)
		// Whatever a stranger sends is either served or refused as theirs.
		if code := recorder.Code; code != 200 && code != 400 {
			t.Errorf("status %d: %s", code, recorder.Body)
		}
	})
}

func FuzzOCSP(f *testing.F) {
	authority, err := ca.New(ca.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0x30, 0x03, 0x0a, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, body []byte) {
		recorder := httptest.NewRecorder()
		authority.ServeHTTP(recorder, httptest.NewRequest("POST", "/ocsp", strings.NewReader(string(body))))
		if recorder.Code != 200 || recorder.Body.Len() == 0 {
			t.Errorf("status %d with %d bytes", recorder.Code, recorder.Body.Len())
		}
	})
}
