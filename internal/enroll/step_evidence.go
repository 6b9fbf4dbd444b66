package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
)

// evidenceResult is where the enrollment is written down.
type evidenceResult struct {
	// find returns the folder of an earlier run with the card, or nil, and keeps other
	// processes from enrolling the user until unlock is called; a preview keeps nobody.
	find    func(context.Context) (*evidence.Folder, error)
	unlock  func() error
	earlier *evidence.Folder // of an earlier run; nil for none
	folder  *evidence.Folder // of this one; nil until it is open
	journal evidence.Journal // of folder or, before that is open, of earlier
}

// readEarlier reads the journal of the earlier run. After a reset of the card there is none: what
// follows is another beginning.
func (r *evidenceResult) readEarlier() error {
	journal, err := r.earlier.Journal()
	if err != nil {
		return err
	}
	if !journal.Reset.IsZero() {
		journal, r.earlier = journal.Next(), nil
	}
	r.journal = journal
	return nil
}

// lockTimeout is how long another process that enrolls the user is waited for.
const lockTimeout = 10 * time.Second

// lock keeps other processes from enrolling the user until the run ends, and
// returns the folder of an earlier run with the card, ready to be written in, or
// nil.
func (e *enrollment) lock(ctx context.Context) (*evidence.Folder, error) {
	if e.evidence.unlock != nil {
		return e.latest()
	}
	unlock, err := evidence.TryLock(e.deps.Evidence, e.request.Email)
	if errors.Is(err, evidence.ErrBusy) {
		e.note("%v: waiting for it", err)
		waiting, cancel := context.WithTimeout(ctx, lockTimeout)
		defer cancel()
		unlock, err = evidence.Lock(waiting, e.deps.Evidence, e.request.Email)
	}
	if err != nil {
		return nil, err
	}
	e.evidence.unlock = unlock
	folder, err := e.latest()
	if err != nil || folder == nil {
		return nil, err
	}
	return folder, folder.Sweep()
}

func (e *enrollment) latest() (*evidence.Folder, error) {
	return evidence.Latest(e.deps.Evidence, e.request.Email, e.request.Serial)
}

// evidenceStep opens the folder that the enrollment leaves behind, and writes
// down what was decided. The folder of an earlier run is continued, except
// that a finished enrollment is history once something new is to come.
func evidenceStep() Step {
	return Step{ID: "evidence", Title: "open the evidence folder", Kind: KindChange, Changes: changesFiles,
		needs: func(e *enrollment) bool { return decided(e) && (len(e.request.Copies) == 0 || copiesSettled(e)) },
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			folder := e.evidence.folder
			if folder == nil {
				anew, err := e.needsFolder(ctx)
				if err != nil || anew {
					return false, err
				}
				folder = e.evidence.earlier
			}
			journal, err := folder.Journal()
			if err != nil || !e.isWrittenDown(journal) {
				return false, err
			}
			e.evidence.folder = folder
			return true, nil
		},
		act: func(ctx context.Context, e *enrollment) error {
			anew, err := e.needsFolder(ctx)
			if err != nil {
				return err
			}
			folder := e.evidence.earlier
			if anew {
				if folder, err = e.beginFolder(); err != nil {
					return err
				}
			}
			e.evidence.folder = folder
			e.writeDown()
			return e.writeJournal()
		}}
}

// needsFolder reports whether the enrollment needs a folder of its own: there is
// none, or it is of a finished one and something is still to be generated or to
// be asked for.
func (e *enrollment) needsFolder(ctx context.Context) (bool, error) {
	if e.evidence.earlier == nil {
		return true, nil
	}
	if !e.evidence.earlier.Finished() {
		return false, nil
	}
	for _, key := range e.keys {
		if !key.toGenerate() {
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

// beginFolder creates a folder, and copies into it what is known of the keys that
// stay.
func (e *enrollment) beginFolder() (*evidence.Folder, error) {
	now := e.deps.Now()
	folder, err := evidence.Begin(e.deps.Evidence, e.request.Email, e.request.Serial, now)
	if err != nil {
		return nil, err
	}
	if err := e.writeRenewed(folder); err != nil {
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
	journal := e.evidence.journal.Next()
	if e.evidence.earlier == nil {
		journal.AfterReset = e.evidence.journal.AfterReset
	}
	if !journal.AfterReset.IsZero() {
		e.note("card %d was reset on %s: this is another beginning, with a folder of its own", e.request.Serial, journal.AfterReset.UTC().Format(time.DateOnly))
	}
	for _, key := range e.keys {
		slot := key.Slot.String()
		if entry, ok := e.evidence.journal.Keys[slot]; ok {
			journal.Keys[slot] = entry
		}
		if asked, ok := e.evidence.journal.Asked[slot]; ok && key.leaf != nil {
			journal.Asked[slot] = asked
		}
	}
	e.evidence.journal = journal
	return folder, nil
}

// isWrittenDown reports whether a journal says what was decided.
func (e *enrollment) isWrittenDown(journal evidence.Journal) bool {
	if !journal.GivenUp.IsZero() || !slices.Equal(plannedKeys(e.plannedRequests()), journal.Plan) || !slices.Equal(e.user.movesFrom, journal.MovesFrom) || !e.request.Replaces.isIn(journal) {
		return false
	}
	if e.renewal.of != nil && !reflect.DeepEqual(e.renewal.of, journal.Renewal) {
		return false
	}
	for _, entry := range e.request.Copies {
		if journal.Copies[entry.id()] != entry.Slot.String() {
			return false
		}
	}
	for _, key := range e.keys {
		entry, there := journal.Keys[key.Slot.String()]
		if key.toGenerate() && there || key.isUsers() && entry.Generated != certificate.KeyFingerprint(key.public) {
			return false
		}
	}
	return true
}

// writeDown has the journal say what was decided: the plan, and which keys the
// slots held when it was made.
func (e *enrollment) writeDown() {
	if e.evidence.journal.Email == "" {
		e.evidence.journal.Version, e.evidence.journal.Email, e.evidence.journal.Serial, e.evidence.journal.Started = 1, e.request.Email, e.request.Serial, e.deps.Now().UTC()
	}
	if e.evidence.journal.IdentityBefore == nil { // a later run may find what an earlier one set
		e.evidence.journal.IdentityBefore = e.user.identityBefore
	}
	e.evidence.journal.Plan, e.evidence.journal.MovesFrom = plannedKeys(e.plannedRequests()), e.user.movesFrom
	if e.renewal.of != nil {
		e.evidence.journal.Renewal = e.renewal.of
	}
	if !e.evidence.journal.GivenUp.IsZero() { // it goes on, and replaces what is asked for now
		e.evidence.journal.GivenUp, e.evidence.journal.Replaces = time.Time{}, nil
	}
	e.request.Replaces.writeIn(&e.evidence.journal)
	for _, entry := range e.request.Copies {
		e.evidence.journal.Copies[entry.id()] = entry.Slot.String()
	}
	if p := e.request.Profile.named(); p != nil {
		e.evidence.journal.Profile = p
	}
	for _, key := range e.keys {
		slot := key.Slot.String()
		entry := e.evidence.journal.Keys[slot]
		switch {
		case key.toGenerate():
			delete(e.evidence.journal.Keys, slot) // of a key that is gone, or that is to go
			delete(e.evidence.journal.Asked, slot)
		case key.isUsers():
			entry.Generated = certificate.KeyFingerprint(key.public)
			e.evidence.journal.Keys[slot] = entry
		}
	}
}

func (e *enrollment) plannedRequests() []KeyRequest {
	requests := make([]KeyRequest, len(e.keys))
	for i, key := range e.keys {
		requests[i] = key.KeyRequest
	}
	return requests
}
