package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
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

// Progress is what the evidence tells of a person's newest enrollment.
type Progress struct {
	Stage Stage
	// Serial is of the card; 0 where that was only tried and nothing was changed on it.
	Serial uint32
	When   time.Time    // it began or, when done, was finished
	Keys   []KeyRequest // that were asked for; nil where nothing was written down
	Folder string       // of the evidence
	// Renewal is what it renews; nil for what is no renewal. MovesFrom names the cards from which
	// Gmail moves by it.
	Renewal   *evidence.Renewal
	MovesFrom []string
	// Failed says at which step the latest run failed, and why; empty where it did not.
	Failed string
	// FactoryManagementKey says that the card still has the factory management key:
	// whoever has the card can change the keys on it.
	FactoryManagementKey bool
	// Before are the ids of the key pairs that the user's identity used before; none where there was no
	// identity, or that is not known.
	Before []string
	// Replaces says which cards the card takes the place of; nil for none, and where their use has
	// ended. Until then the enrollment is not done, although the receipt may be written.
	Replaces *Replacement
	// Registered tells whether the receipt is written, and only the use of the former cards has not ended.
	Registered bool
	// OwnPIN tells whether the card got a PIN in the place of the factory one, and Generated in which
	// slots a new key was generated, such as "9d".
	OwnPIN    bool
	Generated []string
	// Copies tells whether the card was to get copies of old keys.
	Copies bool
}

// ReadProgress reads the evidence of a person under root: of the newest enrollment
// with that card, or for 0 with any.
func ReadProgress(root, email string, serial uint32) (Progress, error) {
	find := func() (*evidence.Folder, error) { return evidence.NewestGoingOn(root, email) }
	if serial != 0 {
		find = func() (*evidence.Folder, error) { return evidence.Latest(root, email, serial) }
	}
	folder, err := find()
	if err != nil || folder == nil {
		return Progress{Stage: StageNone}, err
	}
	standing := Progress{Stage: StageBegun, Serial: folder.Serial(), When: folder.Started(), Folder: folder.Path()}
	journal, err := folder.Journal()
	if err != nil {
		return standing, err
	}
	if !journal.Reset.IsZero() && !folder.Finished() {
		standing.Serial, standing.Failed = 0, "the card was reset"
		return standing, nil
	}
	standing.Keys = requestedKeys(journal.Plan)
	standing.Renewal, standing.MovesFrom = journal.Renewal, journal.MovesFrom
	standing.FactoryManagementKey = journal.Secrets[evidence.SecretManagementKey].State == evidence.SecretFactory
	if before := journal.IdentityBefore; before != nil {
		standing.Before = slices.DeleteFunc([]string{before.Primary, before.Signing, before.Encryption}, func(id string) bool { return id == "" })
	}
	standing.OwnPIN = journal.Secrets[evidence.SecretPIN].State == evidence.SecretSet
	for _, slot := range slices.Sorted(maps.Keys(journal.Keys)) {
		if journal.Keys[slot].Generated != "" {
			standing.Generated = append(standing.Generated, slot)
		}
	}
	standing.Replaces, standing.Copies = begunReplacement(journal), len(journal.Copies) > 0
	if folder.Finished() && standing.Replaces != nil {
		standing.Failed, standing.Registered = "the use of the former card has not ended", true
		return standing, nil
	}
	if folder.Finished() {
		standing.Stage = StageDone
		if info, err := os.Stat(folder.File(evidence.ReceiptName)); err == nil {
			standing.When = info.ModTime()
		}
		return standing, nil
	}
	if standing.Failed, err = lastFailure(folder); err != nil {
		return standing, err
	}
	tried := standing
	if !journal.ChangedCard() {
		tried.Serial = 0
	}
	for _, request := range standing.Keys {
		asked, leaf, err := requestState(folder, &key{KeyRequest: request})
		switch {
		case err != nil:
			return standing, err
		case asked && leaf == nil:
			standing.Stage, standing.Failed = StageWaiting, ""
			return standing, nil
		case !asked && request.Source == SourceGenerate:
			return tried, nil
		case leaf != nil:
			standing.Stage = StageReady
		}
	}
	if standing.Stage == StageBegun {
		return tried, nil
	}
	return standing, nil
}

// requestState reads whether a certificate was asked for, and the one that is there for
// the key that was asked for last; nil for none.
func requestState(folder *evidence.Folder, key *key) (asked bool, leaf *x509.Certificate, err error) {
	csr, err := readRequest(folder, key)
	if err != nil || csr == nil {
		return false, nil, err
	}
	data, err := folder.Read(certificateFile(key))
	if err != nil || data == nil {
		return true, nil, err
	}
	certificates, err := certificate.Parse(data)
	if err != nil {
		return true, nil, fmt.Errorf("reading %s: %w", folder.File(certificateFile(key)), err)
	}
	if !certificate.SameKey(certificates[0].PublicKey, csr.PublicKey) {
		return true, nil, nil
	}
	return true, certificates[0], nil
}

// readRequest returns the request that is in the folder, or nil.
func readRequest(folder *evidence.Folder, key *key) (*x509.CertificateRequest, error) {
	data, err := folder.Read(requestFile(key))
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, nil
	}
	csr, err := certificate.ParseRequest(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", folder.File(requestFile(key)), err)
	}
	return csr, nil
}

// Poll asks the issuer for the certificates that a person's enrollment with
// that card, or for 0 with any, waits for, without the card, and keeps those that Gmail can take. It returns what is
// still waited for, nothing where the person is being enrolled just now. Dependencies
// needs Issuer, Chain, Evidence and Now for it.
func Poll(ctx context.Context, deps Dependencies, email string, serial uint32) ([]*issuer.WaitingError, error) {
	unlock, err := evidence.TryLock(deps.Evidence, email)
	if errors.Is(err, evidence.ErrBusy) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = unlock() }()
	standing, err := ReadProgress(deps.Evidence, email, serial)
	if err != nil || standing.Stage != StageWaiting {
		return nil, err
	}
	e := newEnrollment(deps, Request{Email: email, Serial: standing.Serial, Keys: standing.Keys})
	ctx = e.about(ctx)
	if e.evidence.folder, err = e.latest(); err != nil {
		return nil, err
	}
	if e.evidence.journal, err = e.evidence.folder.Journal(); err != nil {
		return nil, err
	}
	var waits []*issuer.WaitingError
	for _, key := range e.keys {
		err := e.poll(ctx, key)
		var waiting *issuer.WaitingError
		if errors.As(err, &waiting) {
			waits = append(waits, waiting)
		} else if err != nil {
			return waits, err
		}
	}
	return waits, nil
}

func (e *enrollment) poll(ctx context.Context, key *key) error {
	if asked, leaf, err := requestState(e.evidence.folder, key); err != nil || !asked || leaf != nil {
		return err
	}
	csr, err := readRequest(e.evidence.folder, key)
	if err != nil {
		return err
	}
	key.public = csr.PublicKey
	return e.requestCertificate(ctx, key)
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
			Slot: slot, Use: certificate.Use(planned.Use), Source: Source(planned.Source),
			Algorithm: piv.Algorithm(planned.Algorithm), PINPolicy: piv.PINPolicy(planned.PINPolicy), TouchPolicy: piv.TouchPolicy(planned.TouchPolicy),
		})
	}
	return keys
}
