package enroll

import (
	"context"
	"slices"

	"github.com/cse-piv/cse-piv/internal/evidence"
)

// evidenceStep opens the folder that the enrollment leaves behind, and in it the
// journal of a run that was broken off.
func evidenceStep() Step {
	return Step{ID: "evidence", Title: "open the evidence folder", Changes: changesFiles,
		look: func(_ context.Context, e *Enrollment) (bool, error) { return e.folder != nil, nil },
		act: func(_ context.Context, e *Enrollment) error {
			unlock, err := evidence.Lock(e.world.Evidence, e.request.Email)
			if err != nil {
				return err
			}
			e.unlock = unlock
			now := e.world.Now()
			folder, err := evidence.Open(e.world.Evidence, e.request.Email, e.serial, now)
			if err != nil {
				return err
			}
			if e.request.Overwrite && folder.Finished() {
				// The finished enrollment is history; its key is to be replaced.
				if folder, err = evidence.Begin(e.world.Evidence, e.request.Email, e.serial, now); err != nil {
					return err
				}
			}
			journal, err := folder.Journal()
			if err != nil {
				return err
			}
			if journal.Email == "" {
				journal.Email, journal.Serial, journal.Started = e.request.Email, e.serial, now.UTC()
			}
			if plan := plannedKeys(e.request.Keys); !slices.Equal(plan, journal.Plan) {
				journal.Plan = plan
				if err := folder.WriteJournal(journal); err != nil {
					return err
				}
			}
			e.folder, e.journal = folder, journal
			return nil
		}}
}
