package enroll

import (
	"context"
	"path/filepath"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
)

// escrowStep seals the generated secrets and sees them on disk before any of
// them is set on the card, because a card whose management key nobody knows can
// only be wiped. Where only a management key is to be set, that waits until it is:
// until then every run makes another one.
func escrowStep() Step {
	return Step{ID: "escrow", Title: "seal the card's new PUK and management key", Kind: KindChange, Changes: changesFiles,
		needs: gathered,
		look: func(_ context.Context, e *enrollment) (bool, error) {
			switch set := !e.secrets.puk.IsZero() || !e.secrets.newManagement.IsZero(); {
			case e.unsealed() && e.secrets.puk.IsZero():
				e.skip("the management key is sealed just before it is set")
			case e.unsealed():
				return false, nil
			case set && e.sealedRecord() == "":
				e.skip("they were given, and nothing is sealed: who gave them keeps them")
			}
			return true, nil
		},
		act: func(ctx context.Context, e *enrollment) error { return e.seal(ctx) }}
}

// escrowResult is the file that this run sealed the card's new secrets in; empty for none.
type escrowResult struct{ record string }

// sealedRecord returns the file that holds what is to be set on the card, of this run or of
// an earlier one; empty where there is none.
func (e *enrollment) sealedRecord() string {
	if e.escrow.record != "" {
		return e.escrow.record
	}
	sealed, puk, managementKey := e.secrets.sealed, e.secrets.puk, e.secrets.newManagement
	if sealed.Path != "" && (puk.IsZero() || puk.Equal(sealed.PUK)) && (managementKey.IsZero() || managementKey.Equal(sealed.ManagementKey)) {
		return sealed.Path
	}
	return ""
}

// unsealed reports whether there is something that has to be sealed still.
func (e *enrollment) unsealed() bool {
	return (e.secrets.pukGenerated || e.secrets.managementGenerated) && e.sealedRecord() == ""
}

// seal keeps what is to be set on the card in a new record, which says in the place
// of which others.
func (e *enrollment) seal(ctx context.Context) error {
	if !e.unsealed() {
		return nil
	}
	record := escrow.Record{
		Serial: e.request.Serial, Created: e.deps.Now().UTC(),
		PUK: e.secrets.puk, ManagementKey: e.secrets.newManagement,
		Note: "for " + e.request.Email,
	}
	for _, earlier := range e.evidence.journal.Escrow {
		record.Replaces = append(record.Replaces, filepath.Base(earlier))
	}
	path, err := e.deps.Escrow.Put(ctx, record)
	if err != nil {
		return err
	}
	e.escrow.record = path
	e.note("%s", escrow.Kept(path))
	return e.noteSealed(path, e.deps.Escrow.Recipients())
}

// findSealed finds what an earlier run sealed last and can be read back, so that a run that is repeated leaves one record and no more.
func (e *enrollment) findSealed(ctx context.Context) error {
	if len(e.evidence.journal.Escrow) == 0 || e.deps.Recover == nil {
		return nil
	}
	records, err := e.deps.Recover(ctx, e.request.Serial)
	if err != nil {
		return err
	}
	last := e.evidence.journal.Escrow[len(e.evidence.journal.Escrow)-1]
	for _, record := range records {
		if filepath.Base(record.Path) == filepath.Base(last) {
			record.Path = last
			e.secrets.sealed = record
		}
	}
	return nil
}

// secretIsSet writes down that the card has a secret, in the journal and beside the
// record that it was sealed in.
func (e *enrollment) secretIsSet(name, record string) error {
	if err := e.noteSecret(name, evidence.SecretSet, record); err != nil {
		return err
	}
	e.inForce(name, escrow.NoteInForce)
	return nil
}

// markInForce says beside the sealed records which of them the card has, as far as the journal
// knows: who forgot the PIN may have got a new PUK since.
func (e *enrollment) markInForce() {
	e.inForce(evidence.SecretPUK, escrow.RecallInForce)
	e.inForce(evidence.SecretManagementKey, escrow.RecallInForce)
}

// kindOf is the escrow's name of what the journal calls otherwise.
func kindOf(name string) escrow.Kind {
	if name == evidence.SecretPUK {
		return escrow.KindPUK
	}
	return escrow.KindManagementKey
}

// currentRecord returns the record that holds a secret of the card now: the journal's, or one
// that took its place since; empty where there is none.
func (e *enrollment) currentRecord(name string) string {
	record := e.recordOf(name)
	if record == "" {
		return ""
	}
	current, err := escrow.InForce(record, e.request.Serial, kindOf(name))
	if err != nil || current == "" {
		return record
	}
	return current
}

// inForce notes the record of a secret. Failing to does not fail the enrollment: journal and
// receipt say it as well.
func (e *enrollment) inForce(name string, note func(record string, serial uint32, kinds ...escrow.Kind) error) {
	if record := e.recordOf(name); record != "" {
		if err := note(record, e.request.Serial, kindOf(name)); err != nil {
			e.note("%v", err)
		}
	}
}
