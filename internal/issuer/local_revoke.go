package issuer

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// ListValidity is how long a revocation list of an issuing authority is valid.
const ListValidity = 7 * 24 * time.Hour

// Revoke writes down that certificates are revoked, with a reason code of RFC 5280 section
// 5.3.1, and signs a new revocation list. One that was revoked before stays as it was. The
// error may be [ca.ErrUnknownSerial].
func (l *Local) Revoke(ctx context.Context, leaves []*x509.Certificate, reason int) error {
	for _, leaf := range leaves {
		if err := l.record.Revoke(leaf.SerialNumber, ca.Revocation{At: l.options.Now(), Reason: reason}); err != nil {
			return fmt.Errorf("local CA: %w", err)
		}
	}
	_, err := l.SignList(ctx, ListValidity)
	return err
}
