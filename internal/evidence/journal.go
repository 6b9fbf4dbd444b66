package evidence

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"
)

const journalName = "journal.json"

// Journal is what an enrollment writes down before it acts, so that the next
// run can tell its own doing from somebody else's.
type Journal struct {
	Version int       `json:"version"`
	Email   string    `json:"email"`
	Serial  uint32    `json:"serial"`
	Started time.Time `json:"started"`
	// Plan is what was asked for, so that another day's run can go on with it.
	Plan []PlannedKey          `json:"plan,omitempty"`
	Keys map[string]KeyJournal `json:"keys"`
	// Asked names the issuers that were asked for the certificates of the keys, by
	// slot.
	Asked map[string]string `json:"asked,omitempty"`
	// Escrow lists where secrets were sealed before they were set on the card, the
	// newest last.
	Escrow []string `json:"escrow,omitempty"`
	// SealedTo names the recipients of each file of Escrow that is sealed.
	SealedTo map[string][]string `json:"sealed_to,omitempty"`
	// MovesFrom names the cards from which a person agreed that Gmail moves.
	MovesFrom []string `json:"moves_from,omitempty"`
	// Renewal is what this enrollment renews; nil for one that renews nothing.
	Renewal *Renewal `json:"renewal,omitempty"`
	// Replaces says which cards the card takes the place of; nil for none.
	Replaces *Replacement `json:"replaces,omitempty"`
	// Copies are the retired slots that copies of old keys go to, by the SHA-256 (lower-case
	// hex) of their certificates.
	Copies map[string]string `json:"copies,omitempty"`
	// GivenUp is when somebody gave the enrollment up that was begun; zero for one that goes on.
	GivenUp time.Time `json:"given_up,omitzero"`
	// Reset is when the card was reset after what is written down here: what follows is another
	// beginning. It is zero for a card that was not. AfterReset is the Reset of the folder before.
	Reset      time.Time `json:"reset,omitzero"`
	AfterReset time.Time `json:"after_reset,omitzero"`
	// Profile names the enrollment profile that is followed; nil for none.
	Profile *Profile `json:"profile,omitempty"`
	// IdentityBefore is the identity that the user had at Gmail when the enrollment was
	// begun; nil in journals of before it was written down.
	IdentityBefore *IdentityJournal `json:"identity_before,omitempty"`
	// Secrets says how far the replacing of the card's factory secrets is, by
	// SecretPIN, SecretPUK and SecretManagementKey.
	Secrets map[string]SecretJournal `json:"secrets,omitempty"`
}

// Profile names an enrollment profile and its contents.
type Profile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of what it says, lower-case hexadecimal
}

// The secrets of a card, as Journal.Secrets names them.
const (
	SecretPIN           = "pin"
	SecretPUK           = "puk"
	SecretManagementKey = "management_key"
	SecretTries         = "tries" // no secret, but set like one: how many tries PIN and PUK have
)

// SecretJournal is what is known of one of the card's secrets beyond what the
// card tells: firmware before 5.3 does not tell whether PIN and PUK are the
// factory ones. It is written before the card is given a command.
type SecretJournal struct {
	State SecretState `json:"state"`
	// Record is the file of the escrow that holds what was to be set; empty where
	// it was not sealed.
	Record string `json:"record,omitempty"`
}

// SecretState is how far the replacing of a factory secret is.
type SecretState string

// The states of a secret; the zero value says nothing.
const (
	// SecretSetting: the factory one was about to be replaced; whether it was is
	// not written down yet.
	SecretSetting SecretState = "setting"
	SecretSet     SecretState = "set" // it was replaced
	// SecretFactory: the card has the factory one until its turn comes, which is
	// written down of the management key alone.
	SecretFactory SecretState = "factory"
	// SecretOwn: the card has another than the factory one, which it had before.
	SecretOwn SecretState = "own"
)

// PlannedKey is one key of the plan, in the words of the command line.
type PlannedKey struct {
	Slot        string `json:"slot"`
	Use         string `json:"use"`
	Source      string `json:"source"`
	Algorithm   string `json:"algorithm,omitempty"`
	PINPolicy   string `json:"pin_policy,omitempty"`
	TouchPolicy string `json:"touch_policy,omitempty"`
}

// IdentityJournal names the key pairs of an identity at Gmail, by their ids there: one for
// both uses, or one for each; none where there was no identity.
type IdentityJournal struct {
	Primary    string `json:"primary,omitempty"`
	Signing    string `json:"signing,omitempty"`
	Encryption string `json:"encryption,omitempty"`
}

// KeyJournal is the journal of one slot, written before a key is generated in
// it.
type KeyJournal struct {
	// Generating is when the generation was about to begin.
	Generating time.Time `json:"generating"`
	// Replaces is the SHA-256 (lower-case hex) of the SubjectPublicKeyInfo that
	// the slot held then, empty for an empty slot. While Generated is missing, a
	// slot that holds another key now holds the one that was generated.
	Replaces string `json:"replaces"`
	// Generated is the same of the key that was generated; empty until the card's
	// answer was written down.
	Generated string `json:"generated,omitempty"`
	// ReplacedCertificate is the SHA-256 of the certificate that the slot held, or
	// "unreadable".
	ReplacedCertificate string `json:"replaced_certificate,omitempty"`
}

// Renewal is what a renewal found on the card, written before it changes anything.
type Renewal struct {
	Kind string            `json:"kind"` // "new-key", or "same-key" for a new certificate alone
	Keys map[string]OldKey `json:"keys"` // that are renewed, by slot
}

// OldKey is a key that is renewed.
type OldKey struct {
	// Key and Certificate are the SHA-256 (lower-case hex) of its SubjectPublicKeyInfo
	// and of its certificate; the latter is empty where none was found.
	Key         string `json:"key"`
	Certificate string `json:"certificate,omitempty"`
	// MovedTo is the retired slot that it moves to, for old mail to stay readable; empty
	// where it stays, or the card cannot move it.
	MovedTo string `json:"moved_to,omitempty"`
}

// Replacement is the end of the use of cards that another takes the place of, written before that is
// enrolled.
type Replacement struct {
	Reason string   `json:"reason"` // such as "lost"
	Cards  []uint32 `json:"cards"`  // serial numbers of the former cards
	// KeyPairs is what somebody chose to become of their key pairs, "leave" or "disable"; empty for
	// what the reason decides.
	KeyPairs string `json:"key_pairs,omitempty"`
	Note     string `json:"note,omitempty"` // more about it, as a person gave it
	// Agreed names the changes that somebody agreed to.
	Agreed []string `json:"agreed,omitempty"`
	// Ended is when the use of the former cards had ended; zero until then, although the user may be
	// enrolled with the new card.
	Ended time.Time `json:"ended,omitzero"`
}

// Replacing returns the replacement that has not come to its end and was not given up; nil for none.
func (j *Journal) Replacing() *Replacement {
	if j.Replaces == nil || !j.Replaces.Ended.IsZero() || !j.GivenUp.IsZero() {
		return nil
	}
	return j.Replaces
}

// Next returns the journal of what follows with the same card: what is known of its secrets stays, unless
// it was reset, and so does a replacement until the use of the former card has ended.
func (j *Journal) Next() Journal {
	next := NewJournal()
	if next.Replaces, next.AfterReset = j.Replacing(), j.Reset; j.Reset.IsZero() {
		next.Secrets = j.Secrets
	}
	return next
}

// JournalError is returned for a journal that cannot be used.
type JournalError struct {
	Folder string
	Err    error
}

// Error names the file.
func (e *JournalError) Error() string {
	return fmt.Sprintf("reading %s: %v", filepath.Join(e.Folder, journalName), e.Err)
}

// Unwrap returns the cause.
func (e *JournalError) Unwrap() error { return e.Err }

// NewJournal returns a journal in which nothing is written down yet.
func NewJournal() Journal {
	journal := Journal{Version: 1}
	journal.makeMaps()
	return journal
}

// ChangedCard reports whether something was changed on the card, or was about to be.
func (j *Journal) ChangedCard() bool {
	for _, secret := range j.Secrets {
		if secret.State != SecretOwn {
			return true
		}
	}
	return len(j.Keys) > 0 || len(j.Asked) > 0
}

// makeMaps makes the maps that are nil, for entries to be added.
func (j *Journal) makeMaps() {
	if j.Keys == nil {
		j.Keys = map[string]KeyJournal{}
	}
	if j.Copies == nil {
		j.Copies = map[string]string{}
	}
	if j.Asked == nil {
		j.Asked = map[string]string{}
	}
	if j.SealedTo == nil {
		j.SealedTo = map[string][]string{}
	}
	if j.Secrets == nil {
		j.Secrets = map[string]SecretJournal{}
	}
}

// Journal returns the folder's journal, an empty one when nothing was written
// down yet.
func (f *Folder) Journal() (Journal, error) {
	journal := NewJournal()
	data, err := f.Read(journalName)
	if err != nil || data == nil {
		return journal, err
	}
	if err := json.Unmarshal(data, &journal); err != nil {
		return journal, &JournalError{Folder: f.Path(), Err: err}
	}
	if journal.Version != 1 {
		return journal, &JournalError{Folder: f.Path(), Err: fmt.Errorf("version %d is not known to this program", journal.Version)}
	}
	journal.makeMaps()
	return journal, nil
}

// WriteJournal replaces the folder's journal; it is on disk when WriteJournal
// returns.
func (f *Folder) WriteJournal(journal Journal) error {
	data, err := json.MarshalIndent(journal, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the journal: %w", err)
	}
	return f.Write(journalName, append(data, '\n'))
}
