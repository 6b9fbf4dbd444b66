package issuer

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/secret"
)

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

// FuzzProvisionerKey feeds the encrypted key that a step-ca says a provisioner has.
func FuzzProvisionerKey(f *testing.F) {
	// RFC 7517 appendix C.9, with fewer rounds.
	f.Add("eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJwMnMiOiIyV0NUY0paMVJ2ZF9DSnVKcmlwUTF3IiwicDJjIjoxLCJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiY3R5IjoiandrK2pzb24ifQ.TrqXOwuNUfDV9VPTNbyGvEJ9JMjefAVn-TR1uIxR9p6hsRQh9Tk7BA.Ye9j1qs22DmRSAddIh-VnA.AAAA.AAAA")
	f.Add("a.b.c.d.e")
	f.Add("")
	f.Fuzz(func(t *testing.T, encrypted string) {
		s := &stepIssuer{step: &step{options: StepOptions{Password: secret.FromString("x")}}}
		key, err := s.key(&provisioner{EncryptedKey: encrypted})
		if (err == nil) != (key != nil) {
			t.Fatalf("%v, %v", key, err)
		}
	})
}

// FuzzAccount feeds the file of an ACME account's key.
func FuzzAccount(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := parseAccount("acme.key", data); (err == nil) != (key != nil) {
			t.Fatalf("%v, %v", key, err)
		}
	})
}
