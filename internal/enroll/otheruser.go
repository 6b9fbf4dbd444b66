package enroll

import (
	"context"
	"crypto/x509"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// usedFor returns the other user for whom Gmail uses a certificate on the card, as far as that can
// be told: its first address says whom to ask for. "" is nobody, or not known.
func (e *enrollment) usedFor(ctx context.Context, leaf *x509.Certificate) string {
	if leaf == nil || e.user.registration == nil || smime.HasAddress(leaf, e.request.Email) {
		return ""
	}
	addresses := smime.EmailAddresses(leaf)
	if len(addresses) == 0 || strings.EqualFold(addresses[0], e.request.Email) {
		return ""
	}
	// Who may act for one user need not for others: then it is not known.
	account, err := e.deps.Account(ctx, addresses[0])
	if err != nil {
		return ""
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return ""
	}
	pairs, err := account.KeyPairs(ctx)
	if err != nil {
		return ""
	}
	for _, pair := range pairs {
		if identity.Uses(pair.ID) && pair.Hardware() && pair.Has(certificate.Fingerprint(leaf)) {
			return addresses[0]
		}
	}
	return ""
}
