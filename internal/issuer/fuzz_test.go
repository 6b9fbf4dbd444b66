package issuer

import (
	"strings"
	"testing"
	"time"
)

// FuzzKey feeds the files of CA keys.
func FuzzKey(f *testing.F) {
	f.Add([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := parseKey(data)
		if (err == nil) != (key != nil) {
			t.Fatalf("%v, %v", key, err)
		}
		if err != nil && len(data) > 40 && strings.Contains(err.Error(), string(data[:40])) {
			t.Fatalf("the error quotes the file: %v", err)
		}
	})
}

// FuzzRetryAfter feeds a CA's wish when to be asked again.
func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, seed := range []string{"600", "-1", "99999999999999999999", "Fri, 01 May 2026 13:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if wait := retryAfter(value, now); wait < 0 || wait > 30*24*time.Hour {
			t.Fatalf("%q: %v", value, wait)
		}
	})
}
