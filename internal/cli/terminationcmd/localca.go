package terminationcmd

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// localCA is a CA of files, whose key is opened only where something is revoked.
type localCA struct {
	cert string
	key  *option.CAKey
}

// Revoked reports whether the CA issued a certificate, and whether it revoked it.
func (c localCA) Revoked(leaf *x509.Certificate) (issued, revoked bool, err error) {
	return ca.RecordOf(c.cert).Revoked(leaf)
}

// Revoke revokes certificates and signs a new revocation list.
func (c localCA) Revoke(ctx context.Context, leaves []*x509.Certificate, reason int) (err error) {
	key, err := c.key.Open(ctx, c.key.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	local, err := issuer.NewLocal(c.cert, key, issuer.Options{})
	if err != nil {
		return err
	}
	return local.Revoke(ctx, leaves, reason)
}
