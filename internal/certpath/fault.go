package certpath

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Cause is a kind of fault in a path.
type Cause string

// The causes. Those up to CauseGivenUp stand for a path that does not lead from the leaf
// to a root, as far as anybody can verify.
const (
	CauseMissing     Cause = "missing"      // the issuer is not there
	CauseOtherKey    Cause = "other-key"    // the authority of the issuer's name did not sign it
	CauseAlgorithm   Cause = "algorithm"    // the signature cannot be relied on, or not be verified
	CauseSpelling    Cause = "spelling"     // the issuer's name reads the same, but has other octets
	CauseOtherIssuer Cause = "other-issuer" // another certificate follows than the issuer's
	CauseNoRoot      Cause = "no-root"      // the authorities lead to no root, or to none that is trusted
	CauseGivenUp     Cause = "given-up"     // there are too many ways to try them all

	CauseSelfSigned  Cause = "self-signed"   // the leaf is its own root
	CauseAfterRoot   Cause = "after-root"    // a root is not the last certificate
	CauseExpired     Cause = "expired"       //
	CauseNotYetValid Cause = "not-yet-valid" //
	CauseNotCA       Cause = "not-ca"        // an issuer may not sign certificates: basic constraints, key usage
	CausePathLength  Cause = "path-length"   // an issuer may not have so many authorities below it
	CausePurpose     Cause = "purpose"       // the extended key usage leaves out what the path is for
	CauseNames       Cause = "names"         // an authority's name constraints
	CausePolicy      Cause = "policy"        // an authority requires a policy, and none is left
	CauseCritical    Cause = "critical"      // a critical extension that is not understood
)

// Fault is something that is wrong with a path.
type Fault struct {
	Cause Cause
	Index int    // of the certificate it is about, 0 being the leaf
	Text  string // for people; control characters are stripped
	// Extension is the one that is not understood, for CauseCritical.
	Extension asn1.ObjectIdentifier
}

func fault(cause Cause, index int, format string, args ...any) Fault {
	return Fault{Cause: cause, Index: index, Text: safetext.Clean(fmt.Sprintf(format, args...))}
}

// NoPathError is returned where no path leads from a leaf to a root.
type NoPathError struct {
	// Chain is the best there is, leaf first: it breaks off after the certificate whose
	// issuer is missing, or goes on with what stands in the issuer's place.
	Chain []*x509.Certificate
	Fault Fault // where and why it does not hold
}

// Last is the certificate whose issuer is not there, or cannot be verified.
func (e *NoPathError) Last() *x509.Certificate { return e.Chain[e.Fault.Index] }

// CAIssuers are the addresses at which, by its own word, the issuer's certificate can be
// had (RFC 5280 section 4.2.2.1).
func (e *NoPathError) CAIssuers() []string { return e.Last().IssuingCertificateURL }

// Error says what the fault is.
func (e *NoPathError) Error() string { return e.Fault.Text }

// where says at which addresses an issuer's certificate can be had.
func where(cert *x509.Certificate) string {
	const most = 2
	urls := cert.IssuingCertificateURL
	if len(urls) == 0 {
		return ""
	}
	return "; it says where to get it: " + strings.Join(urls[:min(len(urls), most)], ", ")
}
