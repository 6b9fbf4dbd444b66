package plain

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// review says what is about to be registered and asks for agreement; a no is
// enroll.ErrDeclined.
func (f *flow) review(ctx context.Context, review enroll.Review) error {
	f.say("to be registered at Gmail for %s, with card %d:", review.Email, review.Serial)
	if review.GmailEndpoint != "" {
		f.say("warning: %s", enroll.EndpointText(review.GmailEndpoint))
	}
	for _, key := range review.Keys {
		f.sayKey(key)
	}
	agreed, err := f.Confirm(ctx, enroll.Question{Text: "register that at Gmail?"})
	if err == nil && !agreed {
		return enroll.ErrDeclined
	}
	return err
}

func (f *flow) sayKey(key enroll.ReviewKey) {
	proof := key.Proof()
	if !key.Attested {
		proof = "warning: " + proof
	}
	f.say("slot %s: %s, %s", strings.ToUpper(key.Slot), useText(key.Use), proof)
	if said := key.NoPIN(); said != "" {
		f.say("  warning: %s", said)
	}
	for depth := range key.Chain {
		certificate := key.Chain[len(key.Chain)-1-depth]
		f.say("  %s: %s, valid from %s to %s", entry(depth, len(key.Chain)), subject(certificate),
			certificate.NotBefore.Format(time.DateOnly), certificate.NotAfter.Format(time.DateOnly))
	}
	if len(key.Chain) > 0 {
		f.say("  addresses: %s", strings.Join(smime.EmailAddresses(key.Chain[0]), ", "))
	}
	f.say("  on the card: SHA-256 %s", key.OnCard)
	f.say("  to upload: SHA-256 %s", key.Upload)
	if key.Same() {
		f.say("  what is on the card and what is uploaded are the same")
	} else {
		f.say("  error: what is on the card and what is uploaded are NOT the same")
	}
	if key.Known {
		f.say("  Gmail has this key pair already; it is used again")
	}
	for _, severity := range []smime.Severity{smime.SeverityError, smime.SeverityWarning, smime.SeverityNote} {
		for _, finding := range key.Findings {
			if finding.Severity == severity {
				f.say("  %s: %s (%s)", severity, finding.Message, finding.ID)
			}
		}
	}
	if len(key.Findings) == 0 {
		f.say("  nothing is to be said against the chain")
	}
}

// position says where a certificate stands in a chain, counted from the root.
func entry(depth, length int) string {
	switch depth {
	case length - 1:
		return "user certificate"
	case 0:
		return "root"
	}
	return "intermediate"
}

// subject names a certificate.
func subject(certificate *x509.Certificate) string {
	if certificate.Subject.CommonName != "" {
		return certificate.Subject.CommonName
	}
	return certificate.Subject.String()
}
