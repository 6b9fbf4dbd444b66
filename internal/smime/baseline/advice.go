package baseline

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/smime"
)

// IsPromised reports whether a user's certificate says that its authority keeps to the
// baseline: one of its policies is the baseline's.
func IsPromised(leaf *x509.Certificate) bool { return !leaf.IsCA && len(profilesOf(leaf)) > 0 }

// Advice returns what [Check] finds in a certificate whose authority promises to keep to
// the baseline. For any other there is none: an authority of the organization's own is
// not bound by it.
func Advice(leaf *x509.Certificate) []smime.Finding {
	if !IsPromised(leaf) {
		return nil
	}
	return Check(leaf, Profile{})
}

// IsNote reports whether a finding is one of this package's.
func IsNote(f smime.Finding) bool {
	_, known := ruleTable()[f.ID]
	return known
}

// Summary says in a line how many of this package's notes are among the findings, and of
// which rules; "" for none.
func Summary(findings []smime.Finding) string {
	notes := 0
	var ids []string
	for _, finding := range findings {
		if !IsNote(finding) {
			continue
		}
		if notes++; !slices.Contains(ids, finding.ID) {
			ids = append(ids, finding.ID)
		}
	}
	switch notes {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 note of the CA/Browser Forum's S/MIME baseline, which cert check tells: %s", ids[0])
	}
	return fmt.Sprintf("%d notes of the CA/Browser Forum's S/MIME baseline, which cert check tells: %s", notes, strings.Join(ids, ", "))
}
