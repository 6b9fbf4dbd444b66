package workspace

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func TestParseAssertionRefuses(t *testing.T) {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	header, claims := part(`{"alg":"RS256"}`), part(`{"iss":"x","iat":1.5,"exp":2}`)
	a, err := parseAssertion(header + "." + claims + "." + part("signature"))
	if err != nil {
		t.Fatal(err)
	}
	if a.header.Algorithm != "RS256" || a.claims.Issuer != "x" || int64(*a.claims.IssuedAt) != 1 || string(a.signature) != "signature" {
		t.Errorf("parsed %+v", a)
	}
	if a, err := parseAssertion(header + "." + claims + ".YQ=="); err != nil || string(a.signature) != "a" {
		t.Errorf("padded: %+v, %v", a, err)
	}
	for name, token := range map[string]string{
		"empty":               "",
		"two parts":           header + "." + claims,
		"four parts":          header + "." + claims + ".a.b",
		"half a padding":      header + "." + claims + ".YQ=",
		"too much padding":    header + "." + claims + ".YWE==",
		"standard base64":     header + "." + claims + ".+/+/",
		"loose bits":          header + "." + claims + ".YR",
		"array":               part(`[]`) + "." + claims + ".YQ",
		"null":                part(`null`) + "." + claims + ".YQ",
		"two objects":         header + "." + part(`{}{}`) + ".YQ",
		"audience list":       header + "." + part(`{"aud":["a"]}`) + ".YQ",
		"time out of range":   header + "." + part(`{"exp":1e300}`) + ".YQ",
		"negative time":       header + "." + part(`{"exp":-1}`) + ".YQ",
		"signature no base64": header + "." + claims + ".!",
	} {
		if _, err := parseAssertion(token); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseAssertion(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4IiwiaWF0IjoxLCJleHAiOjJ9.c2ln")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		a, err := parseAssertion(token)
		if err != nil {
			return
		}
		if a.signedBy(&key.PublicKey) {
			t.Error("a forged signature verified")
		}
		if !strings.HasPrefix(token, string(a.signed)+".") {
			t.Error("the signed part is not the token's beginning")
		}
		if a.current(time.Now()) && (a.claims.Expires == nil || a.claims.IssuedAt == nil) {
			t.Error("current without times")
		}
	})
}
