package certificate

import "time"

// RevocationState says what is known of a certificate's revocation.
type RevocationState string

// The states of a certificate, as RFC 6960 section 2.2 names them.
const (
	RevocationGood    RevocationState = "good"
	RevocationRevoked RevocationState = "revoked"
	RevocationUnknown RevocationState = "unknown"
)

// Revocation is what the issuer of a certificate says of its revocation.
type Revocation struct {
	State  RevocationState
	Source string    // the address that said so
	At     time.Time // when it was revoked
	Reason string    // why, by the names of RFC 5280 section 5.3.1; "" if not said
	Err    error     // why nothing is known
}

// RevocationReason names a reason code (RFC 5280 section 5.3.1); "" for unspecified and
// for one that there is not.
func RevocationReason(code int) string {
	return map[int]string{
		1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation",
		6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
	}[code]
}
