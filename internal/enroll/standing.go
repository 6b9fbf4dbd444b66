package enroll

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Stage is how far a person's enrollment is.
type Stage string

// The stages of an enrollment.
const (
	StageNone    Stage = "none"    // never begun
	StageBegun   Stage = "begun"   // broken off
	StageWaiting Stage = "waiting" // for a certificate
	StageReady   Stage = "ready"   // the certificate is there
	StageDone    Stage = "done"    // the receipt is written
)

// Standing is what the evidence tells of a person's newest enrollment.
type Standing struct {
	Stage  Stage
	Serial uint32       // of the card
	When   time.Time    // it began or, when done, was finished
	Keys   []KeyRequest // that were asked for; nil where nothing was written down
	Folder string       // of the evidence
}

// StandingOf reads the evidence of a person under root.
func StandingOf(root, email string) (Standing, error) {
	folder, err := evidence.Newest(root, email)
	if err != nil || folder == nil {
		return Standing{Stage: StageNone}, err
	}
	standing := Standing{Stage: StageBegun, Serial: folder.Serial(), When: folder.Started(), Folder: folder.Path()}
	journal, err := folder.Journal()
	if err != nil {
		return standing, err
	}
	standing.Keys = requestedKeys(journal.Plan)
	if folder.Finished() {
		standing.Stage = StageDone
		if info, err := os.Stat(folder.File(evidence.ReceiptName)); err == nil {
			standing.When = info.ModTime()
		}
		return standing, nil
	}
	requests, certificates := 0, 0
	for _, request := range standing.Keys {
		k := &key{KeyRequest: request}
		csr, err := folder.Read(requestFile(k))
		if err != nil {
			return standing, err
		}
		certificate, err := folder.Read(certificateFile(k))
		if err != nil {
			return standing, err
		}
		if csr != nil {
			requests++
		}
		if certificate != nil {
			certificates++
		}
	}
	switch {
	case requests > 0 && certificates == len(standing.Keys):
		standing.Stage = StageReady
	case requests > 0:
		standing.Stage = StageWaiting
	}
	return standing, nil
}

// Collect asks the issuer for the certificates that a person's enrollment waits
// for, without the card, and keeps those that Gmail can take. It reports whether
// all are there. World needs Issuer, Chain, Evidence and Now for it.
func Collect(ctx context.Context, world World, email string) (bool, error) {
	standing, err := StandingOf(world.Evidence, email)
	if err != nil || standing.Stage != StageWaiting {
		return standing.Stage == StageReady, err
	}
	e := newEnrollment(world, Request{Email: email, Serial: standing.Serial, Keys: standing.Keys})
	if e.folder, err = evidence.Latest(world.Evidence, email, standing.Serial); err != nil {
		return false, err
	}
	all := true
	for _, key := range e.keys {
		arrived, err := e.collect(ctx, key)
		if err != nil {
			return false, err
		}
		all = all && arrived
	}
	return all, nil
}

func (e *Enrollment) collect(ctx context.Context, key *key) (bool, error) {
	if kept, err := e.folder.Read(certificateFile(key)); err != nil || kept != nil {
		return kept != nil, err
	}
	data, err := e.folder.Read(requestFile(key))
	if err != nil {
		return false, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return false, nil
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", e.folder.File(requestFile(key)), err)
	}
	key.public = csr.PublicKey
	err = e.obtain(ctx, key)
	var waiting *issuer.WaitingError
	if errors.As(err, &waiting) {
		return false, nil
	}
	return err == nil, err
}

func plannedKeys(keys []KeyRequest) []evidence.PlannedKey {
	var plan []evidence.PlannedKey
	for _, key := range keys {
		plan = append(plan, evidence.PlannedKey{
			Slot: key.Slot.String(), Use: string(key.Use), Source: string(key.Source),
			Algorithm: string(key.Algorithm), PINPolicy: string(key.PINPolicy), TouchPolicy: string(key.TouchPolicy),
		})
	}
	return plan
}

// requestedKeys is the reverse; a plan that does not make sense is none.
func requestedKeys(plan []evidence.PlannedKey) []KeyRequest {
	var keys []KeyRequest
	for _, planned := range plan {
		slot, err := piv.ParseSlot(planned.Slot)
		if err != nil {
			return nil
		}
		keys = append(keys, KeyRequest{
			Slot: slot, Use: Use(planned.Use), Source: Source(planned.Source),
			Algorithm: piv.Algorithm(planned.Algorithm), PINPolicy: piv.PINPolicy(planned.PINPolicy), TouchPolicy: piv.TouchPolicy(planned.TouchPolicy),
		})
	}
	return keys
}
