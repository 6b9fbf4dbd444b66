package enroll

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Enrollment is what a running plan has learned so far.
type Enrollment struct {
	deps    Dependencies
	request Request
	current Event
	// skipped says why the step that runs leaves things as they are; empty where it
	// does not.
	skipped string

	card     Card
	serial   uint32
	identity piv.Identity
	// waitsForTouch says that a person was told to touch the card.
	waitsForTouch bool

	registration *registration.Registration
	movesFrom    []string // the cards from which Gmail moves to this one

	// claim keeps other processes from enrolling the user, and returns the folder of
	// an earlier run, or nil; unlock lets them again.
	claim   func(context.Context) (*evidence.Folder, error)
	unlock  func() error
	earlier *evidence.Folder // of an earlier run; nil for none
	folder  *evidence.Folder // of this one; nil until it is open
	journal evidence.Journal
	resumed bool // the request goes on with what was begun

	keys    []*key
	secrets secrets

	outcome    *registration.Outcome // of the registration, when it is over
	receipt    *Receipt
	unrecorded []Event
}

// key is what is known of one of the card's keys.
type key struct {
	KeyRequest
	settled     bool
	action      SlotAction // what is done with the slot
	generate    bool       // a key is still to be generated in it
	seen        trace      // what the slot held when that was decided
	loss        []string
	public      crypto.PublicKey
	origin      string
	algorithm   piv.Algorithm
	pinPolicy   piv.PINPolicy
	touchPolicy piv.TouchPolicy
	noPINAgreed bool
	attestation attestation.Chain
	facts       *attestation.Facts
	unattested  bool // and that was allowed
	attested    bool // the step is over, whatever facts say
	leaf        *x509.Certificate
	parts       []*x509.Certificate // that the issuer gave with the leaf
	chain       []*x509.Certificate // leaf to root, checked
	findings    []smime.Finding
	pkcs7       []byte
}

// secrets are the card's present secrets and the ones that take their place.
type secrets struct {
	gathered      bool
	verified      bool // the PIN, by the card
	pin           secret.Secret
	puk           secret.Secret // to be set; zero when the card has its own
	managementKey secret.Secret // the card's present one; zero when not needed
	newManagement secret.Secret // to be set; zero when the card has its own
	// pukGenerated and managementGenerated say which nobody gave, so that they must
	// be sealed; sealed is what an earlier run did, and record the file that holds
	// what is to be set.
	pukGenerated, managementGenerated bool
	sealed                            escrow.Record
	record                            string
	// newCard and tryPUK are what a person or a flag said of a card that does not
	// tell whether its PIN and PUK are the factory ones.
	askedNew, newCard, tryPUK bool
	pukFactory                piv.Tri // in the end
}

func newEnrollment(deps Dependencies, request Request) *Enrollment {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Notify == nil {
		deps.Notify = func(Event) {}
	}
	e := &Enrollment{request: request, serial: request.Serial}
	e.deps = pausing(deps, func(ctx context.Context) {
		if e.card != nil {
			_ = e.card.Release(ctx) // it fails only with ctx, and so does what comes next
		}
	})
	e.keys = newKeys(request.Keys)
	e.claim = e.lock
	e.journal.Keys, e.journal.Secrets = map[string]evidence.KeyJournal{}, map[string]evidence.SecretJournal{}
	return e
}

func newKeys(requests []KeyRequest) []*key {
	var keys []*key
	for _, request := range requests {
		keys = append(keys, &key{KeyRequest: request})
	}
	return keys
}

// isOwn reports whether the slot held a key of the user's that was generated on
// the card.
func (k *key) isOwn() bool { return k.action == ActionContinue || k.action == ActionKeep }

func (e *Enrollment) notify(state State, message string) {
	event := e.current
	event.Time, event.State, event.Message = e.deps.Now().UTC(), state, message
	e.deps.Notify(event)
}

// record adds the event to the evidence; what happened before the folder was
// open is kept until then. Failing to add it does not fail the enrollment: the
// receipt is what counts.
func (e *Enrollment) record(event Event) {
	e.unrecorded = append(e.unrecorded, event)
	if e.folder == nil {
		return
	}
	for _, event := range e.unrecorded {
		var line bytes.Buffer
		if err := safetext.EncodeJSON(&line, event, ""); err == nil {
			_ = e.folder.AppendLine("events.ndjson", bytes.TrimSpace(line.Bytes()))
		}
	}
	e.unrecorded = nil
}

// note tells the person something without a question.
func (e *Enrollment) note(format string, args ...any) {
	e.notify(StateNote, fmt.Sprintf(format, args...))
}

// skip has the step that runs leave things as they are, and says why.
func (e *Enrollment) skip(why string) { e.skipped = why }

// keyHash returns the lower-case hex SHA-256 of a key's SubjectPublicKeyInfo
// (RFC 5280 section 4.1.2.7), or "" for none.
func keyHash(public crypto.PublicKey) string {
	if public == nil {
		return ""
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
