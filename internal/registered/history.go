package registered

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// OldKey is a retired key of a card that old mail can be read with at Gmail, once its
// certificate is registered there for history.
type OldKey struct {
	Slot        piv.Slot
	Leaf        *x509.Certificate // nil for none that can be read
	PKCS7       []byte            // the chain as far as it can be built: Gmail does not validate it
	Description string
	// Left says why the key cannot be registered for the user; empty where it can.
	Left string
}

// OldKeys returns the keys and certificates in a card's retired slots. Those that are left say why: a
// certificate that cannot be used, that is not of the slot's key, whose key is not on the
// card, or that names only other addresses than the user's.
func OldKeys(email string, identity piv.Identity, history piv.History, authorities *certpath.Pool, now time.Time) ([]OldKey, error) {
	var keys []OldKey
	for _, contents := range history.Slots {
		if contents.Key == nil && contents.Certificate == nil && contents.CertificateErr == nil {
			continue
		}
		key := OldKey{
			Slot: contents.Slot, Leaf: contents.Certificate, Left: leftOf(email, contents),
			Description: Description(identity.Model, identity.Serial, contents.Slot.String()),
		}
		if key.Left == "" {
			var err error
			if key.PKCS7, err = historyChain(key.Leaf, authorities, now); err != nil {
				return nil, fmt.Errorf("slot %s: %w", contents.Slot, err)
			}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// leftOf says why a retired key cannot be registered for the user.
func leftOf(email string, contents piv.SlotContents) string {
	problem, leaf := contents.CertificateProblem(), contents.Certificate
	switch {
	case problem != nil:
		return "its certificate cannot be used: " + problem.Error()
	case leaf == nil:
		return "it has no certificate"
	case contents.Key == nil && !contents.KeyUnknown:
		return "its key is not on the card"
	}
	if addresses := smime.EmailAddresses(leaf); len(addresses) > 0 && !smime.HasAddress(leaf, email) {
		return fmt.Sprintf("its certificate names %s, not %s", strings.Join(addresses, ", "), email)
	}
	return ""
}

// historyChain packs the chain as far as it can be built.
func historyChain(leaf *x509.Certificate, authorities *certpath.Pool, now time.Time) ([]byte, error) {
	var verifier certpath.Verifier
	chain, err := verifier.Build(leaf, authorities, certpath.Options{Now: now, Mail: true})
	var none *certpath.NoPathError
	switch {
	case errors.As(err, &none):
		chain = none.Chain
	case err != nil:
		return nil, err
	}
	if len(chain) == 0 {
		chain = []*x509.Certificate{leaf}
	}
	return certificate.EncodePKCS7(chain)
}
