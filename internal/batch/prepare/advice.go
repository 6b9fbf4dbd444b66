package prepare

import (
	"crypto/x509"
	"sync"

	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// maxAdvised bounds the authorities that are remembered.
const maxAdvised = 1000

// adviser says what the CA/Browser Forum's baseline has to say about the certificates of
// an authority, once: it is about how the authority issues, and the same for all users.
type adviser struct {
	mutex sync.Mutex
	asked map[string]bool // by the issuer's name
}

// advice returns a warning about the authority of a leaf; "" where there is nothing to be
// said, or where it was said of an earlier row.
func (a *adviser) advice(leaf *x509.Certificate) string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.asked[string(leaf.RawIssuer)] || len(a.asked) == maxAdvised || !baseline.IsPromised(leaf) {
		return ""
	}
	if a.asked == nil {
		a.asked = map[string]bool{}
	}
	a.asked[string(leaf.RawIssuer)] = true
	if summary := baseline.Summary(baseline.Advice(leaf)); summary != "" {
		return "of the certificates of " + safetext.Clean(leaf.Issuer.String()) + ": " + summary + " (smime-baseline)"
	}
	return ""
}
