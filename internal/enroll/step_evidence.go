package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
)

// lockPatience is how long somebody else who looks for the user's certificate is
// waited for.
const lockPatience = 10 * time.Second

// lock keeps other processes from enrolling the user until the run ends, and
// returns the folder of an earlier run with the card, ready to be written in, or
// nil.
func (e *Enrollment) lock(ctx context.Context) (*evidence.Folder, error) {
	if e.unlock != nil {
		return e.latest()
	}
	unlock, err := evidence.TryLock(e.deps.Evidence, e.request.Email)
	if errors.Is(err, evidence.ErrBusy) {
		e.note("%v: waiting for it", err)
		waiting, cancel := context.WithTimeout(ctx, lockPatience)
		defer cancel()
		unlock, err = evidence.Lock(waiting, e.deps.Evidence, e.request.Email)
	}
	if err != nil {
		return nil, err
	}
	e.unlock = unlock
	folder, err := e.latest()
	if err != nil || folder == nil {
		return nil, err
	}
	return folder, folder.Sweep()
}

func (e *Enrollment) latest() (*evidence.Folder, error) {
	return evidence.Latest(e.deps.Evidence, e.request.Email, e.serial)
}

// evidenceStep opens the folder that the enrollment leaves behind, and writes
// down what was settled. The folder of an earlier run is gone on with, except
// that a finished enrollment is history once something new is to come.
func evidenceStep() Step {
	return Step{ID: "evidence", Title: "open the evidence folder", Kind: KindChange, Changes: changesFiles,
		needs: settled,
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.folder != nil {
				return true, nil
			}
			anew, err := e.needsFolder(ctx)
			if err != nil || anew || !e.writtenDown() {
				return false, err
			}
			e.folder = e.earlier
			return true, nil
		},
		act: func(ctx context.Context, e *Enrollment) error {
			anew, err := e.needsFolder(ctx)
			if err != nil {
				return err
			}
			folder := e.earlier
			if anew {
				if folder, err = e.beginFolder(); err != nil {
					return err
				}
			}
			e.writeDown()
			if err := folder.WriteJournal(e.journal); err != nil {
				return err
			}
			e.folder = folder
			return nil
		}}
}

// needsFolder reports whether the enrollment needs a folder of its own: there is
// none, or it is of a finished one and something is still to be generated or to
// be asked for.
func (e *Enrollment) needsFolder(ctx context.Context) (bool, error) {
	if e.earlier == nil {
		return true, nil
	}
	if !e.earlier.Finished() {
		return false, nil
	}
	for _, key := range e.keys {
		if !key.generate {
			if err := e.findCertificate(ctx, key); err != nil {
				return false, err
			}
		}
		if key.leaf == nil {
			return true, nil
		}
	}
	return false, nil
}

// beginFolder creates a folder, and takes along what is known of the keys that
// stay.
func (e *Enrollment) beginFolder() (*evidence.Folder, error) {
	now := e.deps.Now()
	folder, err := evidence.Begin(e.deps.Evidence, e.request.Email, e.serial, now)
	if err != nil {
		return nil, err
	}
	for _, key := range e.keys {
		if key.leaf == nil {
			continue
		}
		if err := folder.Write(certificateFile(key), certificate.EncodePEM(append([]*x509.Certificate{key.leaf}, key.parts...)...)); err != nil {
			return nil, err
		}
	}
	journal := evidence.Journal{Keys: map[string]evidence.KeyJournal{}, Asked: map[string]string{}, Secrets: e.journal.Secrets}
	for _, key := range e.keys {
		slot := key.Slot.String()
		if entry, ok := e.journal.Keys[slot]; ok {
			journal.Keys[slot] = entry
		}
		if asked, ok := e.journal.Asked[slot]; ok && key.leaf != nil {
			journal.Asked[slot] = asked
		}
	}
	e.journal = journal
	return folder, nil
}

// writtenDown reports whether the journal says what was settled.
func (e *Enrollment) writtenDown() bool {
	if !slices.Equal(plannedKeys(e.plannedRequests()), e.journal.Plan) || !slices.Equal(e.movesFrom, e.journal.MovesFrom) {
		return false
	}
	for _, key := range e.keys {
		entry, there := e.journal.Keys[key.Slot.String()]
		if key.generate && there || key.isOwn() && entry.Generated != keyHash(key.public) {
			return false
		}
	}
	return true
}

// writeDown has the journal say what was settled: the plan, and which keys the
// slots held when it was made.
func (e *Enrollment) writeDown() {
	if e.journal.Email == "" {
		e.journal.Version, e.journal.Email, e.journal.Serial, e.journal.Started = 1, e.request.Email, e.serial, e.deps.Now().UTC()
	}
	e.journal.Plan, e.journal.MovesFrom = plannedKeys(e.plannedRequests()), e.movesFrom
	for _, key := range e.keys {
		slot := key.Slot.String()
		entry := e.journal.Keys[slot]
		switch {
		case key.generate:
			delete(e.journal.Keys, slot) // of a key that is gone, or that is to go
			delete(e.journal.Asked, slot)
		case key.isOwn():
			entry.Generated = keyHash(key.public)
			e.journal.Keys[slot] = entry
		}
	}
}

func (e *Enrollment) plannedRequests() []KeyRequest {
	requests := make([]KeyRequest, len(e.keys))
	for i, key := range e.keys {
		requests[i] = key.KeyRequest
	}
	return requests
}
