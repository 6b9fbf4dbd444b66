package certpath_test

import (
	"crypto/elliptic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
)

const email = certtest.Email

// now is when the tests look at their certificates.
func now() time.Time { return certtest.Now() }

// goodChain returns leaf, intermediate and root without a fault.
func goodChain(t testing.TB) []*certtest.Holder {
	t.Helper()
	root := certtest.Issue(t, certtest.NewRoot(t, "Root"), certtest.NewKey(t, elliptic.P256()), nil)
	intermediate := certtest.Issue(t, certtest.NewIntermediate(t, "Issuing"), certtest.NewKey(t, elliptic.P256()), root)
	leaf := certtest.Issue(t, certtest.NewLeaf(t), certtest.NewKey(t, elliptic.P256()), intermediate)
	return []*certtest.Holder{leaf, intermediate, root}
}

// printableText reports whether a text can steer no terminal.
func printableText(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return utf8.ValidString(s)
}
