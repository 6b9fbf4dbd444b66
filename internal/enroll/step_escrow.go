package enroll

import (
	"context"

	"github.com/cse-piv/cse-piv/internal/escrow"
)

// escrowStep seals the generated secrets and sees them on disk before any of
// them is set on the card, because a card whose management key nobody knows can
// only be wiped.
func escrowStep() Step {
	return Step{ID: "escrow", Title: "seal the card's new PUK and management key", Kind: KindChange, Changes: changesFiles,
		look: func(_ context.Context, e *Enrollment) (bool, error) {
			return e.secrets.record != "" || !e.secrets.generated(), nil
		},
		act: func(ctx context.Context, e *Enrollment) error {
			path, err := e.world.Escrow.Put(ctx, escrow.Record{
				Serial: e.serial, Created: e.world.Now().UTC(),
				PUK: e.secrets.puk, ManagementKey: e.secrets.newManagement,
				Note: "for " + e.request.Email,
			})
			if err != nil {
				return err
			}
			e.secrets.record = path
			e.note("sealed in %s", path)
			e.journal.Escrow = append(e.journal.Escrow, path)
			return e.folder.WriteJournal(e.journal)
		}}
}
