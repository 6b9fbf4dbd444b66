package enroll

import (
	"github.com/cse-piv/cse-piv/internal/evidence"
)

// The journal is one file that every step adds its own part to, before it changes
// something and again afterwards. What is noted here is on disk when the method
// returns.

// noteKey writes down which key a slot held, and which was generated in it.
func (e *enrollment) noteKey(key *key, entry evidence.KeyJournal) error {
	e.evidence.journal.Keys[key.Slot.String()] = entry
	return e.writeJournal()
}

// noteAsked writes down which issuer is asked for the key's certificate.
func (e *enrollment) noteAsked(key *key, issuer string) error {
	e.evidence.journal.Asked[key.Slot.String()] = issuer
	return e.writeJournal()
}

// noteSealed writes down in which file secrets were sealed, and to whom.
func (e *enrollment) noteSealed(path string, recipients []string) error {
	journal := &e.evidence.journal
	journal.Escrow = append(journal.Escrow, path)
	if len(recipients) > 0 {
		journal.SealedTo[path] = recipients
	}
	return e.writeJournal()
}

// noteSecret writes down how far the replacing of one of the card's secrets is.
func (e *enrollment) noteSecret(name string, state evidence.SecretState, record string) error {
	e.evidence.journal.Secrets[name] = evidence.SecretJournal{State: state, Record: record}
	return e.writeJournal()
}

func (e *enrollment) writeJournal() error { return e.evidence.folder.WriteJournal(e.evidence.journal) }

// noted returns what the journal says of one of the card's secrets.
func (e *enrollment) noted(secret string) evidence.SecretJournal {
	return e.evidence.journal.Secrets[secret]
}
