package enroll

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
)

// enrollment is a plan that is carried out or previewed: what it works on, and what
// its steps have found or made so far. Each result has one step that writes it, in
// that step's file; the steps after it read it.
type enrollment struct {
	deps    Dependencies
	request Request // read-card fills in the serial number, settle-keys what was begun

	events   eventLog       // the step that is carried out, and what happened
	card     cardResult     // read-card
	user     userResult     // check-user
	evidence evidenceResult // settle-keys finds the folder of an earlier run, evidence opens this one's
	resumed  bool           // settle-keys: the request is completed with what was begun
	renewal  renewalResult  // settle-keys
	keys     []*key         // settle-keys
	copies   copiesResult   // settle-copies; import-copy notes what it did
	secrets  secretsResult  // secrets
	escrow   escrowResult   // escrow, or set-management-key
	identity identityResult // set-identity
	receipt  *Receipt       // record
	ready    readyResult    // check-ready, of a card that is made ready for nobody yet
}

// key is what is known of one of the card's keys.
type key struct {
	KeyRequest
	slotResult               // settle-keys
	keyResult                // settle-keys for a key that is there, generate for a new one
	attestResult             // attest; settle-keys for a key that is there
	importResult             // import
	certificateResult        // certificate, and every step before it that finds one
	pkcs7             []byte // check-chain: the chain as Gmail takes it
}

func newEnrollment(deps Dependencies, request Request) *enrollment {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Notify == nil {
		deps.Notify = func(Event) {}
	}
	e := &enrollment{request: request}
	e.deps = releasing(deps, func(ctx context.Context) {
		if e.card.Card != nil {
			_ = e.card.Release(ctx) // it fails only with ctx, and so does what comes next
		}
	})
	e.keys = newKeys(request.Keys)
	e.evidence = evidenceResult{find: e.lock, journal: evidence.NewJournal()}
	return e
}

func newKeys(requests []KeyRequest) []*key {
	var keys []*key
	for _, request := range requests {
		keys = append(keys, &key{KeyRequest: request})
	}
	return keys
}
