package enroll

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/smime"
)

// importStep puts the certificate into the slot beside its key, and gives the
// card a new CHUID, because Windows caches a card's certificates by it.
func importStep(index int, request KeyRequest) Step {
	step := keyStep("import", "put the certificate into slot %s", KindChange, changesCard, request)
	step.look = func(ctx context.Context, e *Enrollment) (bool, error) {
		key := e.keys[index]
		held, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		return held.Certificate != nil && smime.Fingerprint(held.Certificate) == smime.Fingerprint(key.leaf), nil
	}
	step.act = func(ctx context.Context, e *Enrollment) error {
		key := e.keys[index]
		// The CHUID first: when the run ends in between, the certificate is
		// still missing and both are written again.
		if err := e.card.RefreshCHUID(ctx, e.secrets.managementKey); err != nil {
			return fmt.Errorf("renewing the card's CHUID: %w", err)
		}
		return e.card.PutCertificate(ctx, e.secrets.managementKey, key.Slot, key.leaf)
	}
	return step
}
