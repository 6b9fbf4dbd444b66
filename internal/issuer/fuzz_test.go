package issuer

import (
	"testing"
	"time"
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
