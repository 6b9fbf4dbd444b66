package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
)

// lockPatience is how long somebody else who looks for the user's certificate is
// waited for.
const lockPatience = 10 * time.Second

// evidenceStep opens the folder that the enrollment leaves behind, and in it the
// journal of a run that was broken off.
func evidenceStep() Step {
	return Step{ID: "evidence", Title: "open the evidence folder", Kind: KindChange, Changes: changesFiles,
		look: func(_ context.Context, e *Enrollment) (bool, error) { return e.folder != nil, nil },
		act: func(ctx context.Context, e *Enrollment) error {
			unlock, err := evidence.TryLock(e.world.Evidence, e.request.Email)
			if errors.Is(err, evidence.ErrBusy) {
				e.note("%v: waiting for it", err)
				waiting, cancel := context.WithTimeout(ctx, lockPatience)
				defer cancel()
				unlock, err = evidence.Lock(waiting, e.world.Evidence, e.request.Email)
			}
			if err != nil {
				return err
			}
			e.unlock = unlock
			now := e.world.Now()
			folder, err := evidence.Open(e.world.Evidence, e.request.Email, e.serial, now)
			if err != nil {
				return err
			}
			var earlier evidence.Journal
			if e.request.Overwrite && folder.Finished() {
				// The finished enrollment is history; its key is to be replaced.
				if earlier, err = folder.Journal(); err != nil {
					return err
				}
				if folder, err = evidence.Begin(e.world.Evidence, e.request.Email, e.serial, now); err != nil {
					return err
				}
			}
			if err := folder.Sweep(); err != nil {
				return err
			}
			journal, err := folder.Journal()
			if err != nil {
				return err
			}
			fresh := journal.Email == ""
			if fresh {
				journal = e.newJournal(now)
				maps.Copy(journal.Secrets, earlier.Secrets)
			}
			if plan := plannedKeys(e.request.Keys); fresh || !slices.Equal(plan, journal.Plan) || !slices.Equal(e.movesFrom, journal.MovesFrom) {
				journal.Plan, journal.MovesFrom = plan, e.movesFrom
				if err := folder.WriteJournal(journal); err != nil {
					return err
				}
			}
			e.folder, e.journal = folder, journal
			return nil
		}}
}

func (e *Enrollment) newJournal(now time.Time) evidence.Journal {
	return evidence.Journal{Version: 1, Email: e.request.Email, Serial: e.serial, Started: now.UTC(), Plan: plannedKeys(e.request.Keys), Keys: map[string]evidence.KeyJournal{}, Secrets: map[string]evidence.SecretJournal{}}
}

// beginAnew leaves the folder of a finished enrollment to history and goes on in
// a new one, where something is still to be generated or to be asked for. What is
// known of the keys that stay goes along.
func (e *Enrollment) beginAnew(ctx context.Context) error {
	if !e.folder.Finished() {
		return nil
	}
	needed := false
	for _, key := range e.keys {
		if !key.generate {
			if err := e.findCertificate(ctx, key); err != nil {
				return err
			}
		}
		needed = needed || key.leaf == nil
	}
	if !needed {
		return nil
	}
	now := e.world.Now()
	folder, err := evidence.Begin(e.world.Evidence, e.request.Email, e.serial, now)
	if err != nil {
		return err
	}
	journal := e.newJournal(now)
	maps.Copy(journal.Secrets, e.journal.Secrets)
	for _, key := range e.keys {
		if entry, ok := e.journal.Keys[key.Slot.String()]; ok && !key.generate {
			journal.Keys[key.Slot.String()] = entry
		}
		if key.leaf != nil {
			if err := folder.Write(certificateFile(key), encodeCertificates(append([]*x509.Certificate{key.leaf}, key.parts...))); err != nil {
				return err
			}
		}
	}
	if err := folder.WriteJournal(journal); err != nil {
		return err
	}
	e.folder, e.journal = folder, journal
	return nil
}
