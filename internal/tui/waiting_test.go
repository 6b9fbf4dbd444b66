package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/issuer"
)

// TestExpiredCertificateIsShown: what is there and does not count is said where the
// certificate is waited for.
func TestExpiredCertificateIsShown(t *testing.T) {
	waiting := &issuer.WaitingError{Dir: "requests", Request: "ada.9d.csr", Expected: "ada.9d.pem"}
	if text := strings.Join(waitingLines(waiting, 80), "\n"); strings.Contains(text, "found") {
		t.Errorf("something was found:\n%s", text)
	}
	waiting.Found = &issuer.ExpiredError{File: "requests/old.cer", NotAfter: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	text := strings.Join(waitingLines(waiting, 80), "\n")
	if !strings.Contains(text, "requests/old.cer expired on 2026-01-02") {
		t.Errorf("it is not said:\n%s", text)
	}
}
