package enroll

import (
	"fmt"
	"strings"
)

// EndpointText says of an endpoint of Gmail that it is not Google's.
func EndpointText(endpoint string) string {
	return fmt.Sprintf("Gmail is asked at %s, which is not Google's", endpoint)
}

// RootsText says of roots that are trusted that they are not Yubico's.
func RootsText(roots []string) string {
	which := "which is"
	if len(roots) > 1 {
		which = "which are"
	}
	return fmt.Sprintf("attestations are believed up to %s, %s not Yubico's", strings.Join(roots, " and "), which)
}

// Notices says what is not as it is built in, for whoever relies on the outcome, a
// sentence each: what is asked in Google's place, and what is believed in Yubico's.
func (w Dependencies) Notices() []string {
	var notices []string
	if w.GmailEndpoint != "" {
		notices = append(notices, EndpointText(w.GmailEndpoint))
	}
	if roots := w.Trust.Foreign(); len(roots) > 0 {
		notices = append(notices, RootsText(roots))
	}
	return notices
}
