package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Renewal is what gets new: the certificate alone, or the key as well.
type Renewal string

// The kinds of a renewal.
const (
	// RenewNewKey generates a new key in each slot, after the old one was moved to a retired
	// slot, where it goes on reading old mail. A key that was used for years may have been
	// broken or copied; one that is new cannot have been.
	RenewNewKey Renewal = "new-key"
	// RenewSameKey keeps the keys and gets new certificates for them.
	RenewSameKey Renewal = "same-key"
)

// renewalResult is what is renewed.
type renewalResult struct {
	of     *evidence.Renewal            // nil for an enrollment that renews nothing
	begins bool                         // in this run: what an earlier run left is of what is renewed
	leaves map[string]*x509.Certificate // that are renewed, by slot, where it begins
}

// resumeRenewal goes on with a renewal that was begun, or begins the one that is asked
// for, and reports whether the enrollment is one; then the keys of what was found are
// those to enroll.
func (e *enrollment) resumeRenewal(ctx context.Context, earlier *earlierRun) (bool, error) {
	unfinished := e.evidence.earlier != nil && !e.evidence.earlier.Finished()
	switch begun := e.evidence.journal.Renewal; {
	case unfinished && begun != nil:
		if asked := e.request.Renew; asked != "" && string(asked) != begun.Kind {
			return false, &RenewalBegunError{Email: e.request.Email, Serial: e.request.Serial, Begun: Renewal(begun.Kind)}
		}
		e.request.Renew, e.renewal.of = Renewal(begun.Kind), begun
		return true, nil
	case e.request.Renew == "":
		return false, nil
	case unfinished:
		return false, &NotEnrolledError{Email: e.request.Email, Serial: e.request.Serial, Begun: true}
	case len(earlier.keys) == 0:
		if err := e.findBegunElsewhere(ctx, earlier); err != nil {
			return false, err
		}
	}
	return true, e.beginRenewal(ctx, earlier)
}

// beginRenewal decides what becomes of each key that is enrolled, and has the keys of what
// was found be those to enroll.
func (e *enrollment) beginRenewal(ctx context.Context, earlier *earlierRun) error {
	of := &evidence.Renewal{Kind: string(e.request.Renew), Keys: map[string]evidence.OldKey{}}
	keys := e.request.fillIn(earlier.keys)
	leaves := map[string]*x509.Certificate{}
	var ends time.Time // of what is valid shortest
	for i, request := range keys {
		contents, err := e.card.Slot(ctx, request.Slot)
		if err != nil {
			return err
		}
		var old evidence.OldKey
		if moved, there := earlier.moved[request.Slot]; there {
			contents, old.MovedTo = moved, moved.Slot.String()
		} else if !e.isEnrolled(contents) {
			return &NotEnrolledError{Email: e.request.Email, Serial: e.request.Serial, Slot: &request.Slot}
		}
		leaf := e.leafOf(contents)
		old.Key = certificate.KeyFingerprint(contents.Key.PublicKey)
		if leaf != nil {
			old.Certificate, leaves[request.Slot.String()] = certificate.Fingerprint(leaf), leaf
			if ends.IsZero() || leaf.NotAfter.Before(ends) {
				ends = leaf.NotAfter
			}
		}
		of.Keys[request.Slot.String()] = old
		if e.request.Renew == RenewNewKey {
			keys[i] = e.request.newKey(request, contents)
		}
	}
	if within := e.request.RenewWithin; within > 0 && ends.After(e.deps.Now().Add(within)) {
		return &NotDueError{Email: e.request.Email, NotAfter: ends, Within: within}
	}
	if e.request.Renew == RenewNewKey {
		if err := e.findRetiredSlots(ctx, keys, of); err != nil {
			return err
		}
	}
	e.evidence.journal, e.evidence.earlier = e.evidence.journal.Next(), nil // the folder of what is renewed is history
	e.renewal = renewalResult{of: of, begins: true, leaves: leaves}
	earlier.keys = keys
	return nil
}

// isEnrolled reports whether a slot's key is the user's: Gmail has it, or the journal says
// that it was generated for them.
func (e *enrollment) isEnrolled(contents piv.SlotContents) bool {
	if contents.Key == nil {
		return false
	}
	generated := e.evidence.journal.Keys[contents.Slot.String()].Generated
	return generated == certificate.KeyFingerprint(contents.Key.PublicKey) || e.chainAtGmail(contents) != nil
}

// leafOf returns the certificate of a slot's key: the one in the slot or, where that is
// missing or another key's, the one that Gmail has; nil for none.
func (e *enrollment) leafOf(contents piv.SlotContents) *x509.Certificate {
	if contents.Key == nil {
		return nil
	}
	if contents.Certificate != nil && !contents.Mismatched() {
		return contents.Certificate
	}
	if chain := e.chainAtGmail(contents); chain != nil {
		return chain[0]
	}
	return nil
}

// renewedLeaf returns the certificate of a key that is renewed, as it was when the renewal
// began; nil where there was none, or nothing is renewed.
func (e *enrollment) renewedLeaf(key *key) (*x509.Certificate, error) {
	if leaf := e.renewal.leaves[key.Slot.String()]; leaf != nil {
		return leaf, nil
	}
	data, err := e.read(renewedFile(key.Slot.String()))
	if err != nil || data == nil {
		return nil, err
	}
	certificates, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", renewedFile(key.Slot.String()), err)
	}
	return certificates[0], nil
}

// writeRenewed keeps the certificates that are renewed in the folder of the renewal.
func (e *enrollment) writeRenewed(folder *evidence.Folder) error {
	for slot, leaf := range e.renewal.leaves {
		if err := folder.Write(renewedFile(slot), certificate.EncodePEM(leaf)); err != nil {
			return err
		}
	}
	return nil
}

func renewedFile(slot string) string { return fmt.Sprintf("renewed-%s.pem", slot) }

// newKey asks for a new key like the one that is there, in what nobody chose.
func (r Request) newKey(like KeyRequest, contents piv.SlotContents) KeyRequest {
	if like.Source == SourceExisting {
		there := requestOf(contents)
		if r.defaulted(OptionAlgorithm) {
			like.Algorithm = there.Algorithm
		}
		if r.defaulted(OptionPINPolicy) && there.PINPolicy != piv.PINUnknown {
			like.PINPolicy = there.PINPolicy
		}
		if r.defaulted(OptionTouchPolicy) && there.TouchPolicy != piv.TouchUnknown {
			like.TouchPolicy = there.TouchPolicy
		}
	}
	like.Source = SourceGenerate
	return like
}

// findRetiredSlots decides where the old keys move to: to the first retired slots that are
// free, where the card can move keys.
func (e *enrollment) findRetiredSlots(ctx context.Context, keys []KeyRequest, of *evidence.Renewal) error {
	if !e.card.Identity().Firmware.MovesKeys() {
		return nil
	}
	history, err := e.card.History(ctx)
	if err != nil {
		return err
	}
	free := history.Free()
	keys = slices.DeleteFunc(slices.Clone(keys), func(key KeyRequest) bool { return of.Keys[key.Slot.String()].MovedTo != "" })
	if len(free) < len(keys) {
		return &RetiredSlotsError{Serial: e.request.Serial, Free: len(free), Needed: len(keys)}
	}
	for i, key := range keys {
		old := of.Keys[key.Slot.String()]
		old.MovedTo = free[i].String()
		of.Keys[key.Slot.String()] = old
	}
	return nil
}

// renewalAction decides what is done with a slot whose key is renewed.
func (e *enrollment) renewalAction(ctx context.Context, key *key, contents piv.SlotContents) (SlotAction, error) {
	old := e.renewal.of.Keys[key.Slot.String()]
	entry, begun := e.evidence.journal.Keys[key.Slot.String()]
	now := fingerprintOf(contents)
	switch {
	case e.request.Renew == RenewSameKey && now.key == old.Key:
		return ActionRenew, nil
	case e.request.Renew == RenewSameKey:
		return "", &OtherKeyError{Slot: key.Slot, Where: "that is to be renewed"}
	case now.key == old.Key && old.MovedTo != "":
		return ActionMove, nil
	case now.key == old.Key:
		return ActionReplace, nil
	case begun && isGenerated(now, entry):
		return ActionContinue, nil
	case now.key != "":
		return "", &OccupiedError{Slot: key.Slot, Contents: describeContents(contents)}
	}
	moved, err := e.retired(ctx, old)
	if err != nil {
		return "", err
	}
	if fingerprintOf(moved).key == old.Key {
		return ActionMove, nil
	}
	e.note("the old key of slot %s is not on the card any more", key.Slot)
	return ActionGenerate, nil
}

// retired reads the slot that an old key moves to; empty where it moves to none.
func (e *enrollment) retired(ctx context.Context, old evidence.OldKey) (piv.SlotContents, error) {
	if old.MovedTo == "" {
		return piv.SlotContents{}, nil
	}
	slot, err := piv.ParseSlot(old.MovedTo)
	if err != nil {
		return piv.SlotContents{}, err
	}
	return e.card.Slot(ctx, slot)
}

// agreeToLoseKey has a person agree that the old key is lost, which the card cannot move.
func (e *enrollment) agreeToLoseKey(ctx context.Context, key *key, contents piv.SlotContents) error {
	cannot := &CannotKeepKeyError{Slot: key.Slot, Firmware: e.card.Identity().Firmware, Contents: describeContents(contents), Serial: e.request.Serial}
	key.loss = lossOf(&OccupiedError{Slot: key.Slot, Contents: cannot.Contents})
	serial := serialText(e.request.Serial)
	switch {
	case e.request.Agrees(e.request.Serial, key.loss):
		return nil
	case e.request.Confirm != "" && e.request.Confirm != serial:
		return &UsageError{&OtherCardConfirmedError{Confirmed: e.request.Confirm, Serial: e.request.Serial}}
	}
	err := e.deps.Prompter.TypedConfirm(ctx, Question{ID: QuestionOverwrite, Text: cannot.Error(), Loss: key.loss}, serial)
	var missing *MissingError
	if errors.As(err, &missing) {
		return cannot
	}
	return err
}

// ErrNotRenewed is returned for an issuer's answer that is the certificate that is to be
// renewed.
var ErrNotRenewed = errors.New("the issuer answered with the certificate that is to be renewed")

// NotEnrolledError is returned where there is nothing to renew: the user is not enrolled
// with the card.
type NotEnrolledError struct {
	Email  string
	Serial uint32
	Begun  bool      // an enrollment was begun and is not finished
	Slot   *piv.Slot // that holds no key of the user's any more; nil where nothing is known of one
	// MovedTo is the retired slot that holds the key, which a renewal moved there that another
	// computer began; nil for none.
	MovedTo *piv.Slot
	With    []string // the cards that the user is enrolled with, such as "card 12345678"; none where that is not known
}

// Error says what is there instead.
func (e *NotEnrolledError) Error() string {
	switch {
	case e.Begun:
		return fmt.Sprintf("the enrollment of %s with card %d is not finished: there is nothing to renew yet", e.Email, e.Serial)
	case len(e.With) > 0:
		return fmt.Sprintf("%s is enrolled with %s, not with card %d: there is nothing to renew on it", e.Email, strings.Join(e.With, " and "), e.Serial)
	case e.MovedTo != nil:
		return fmt.Sprintf("a renewal of %s with card %d was begun elsewhere: the key that Gmail uses is in slot %s, and slot %s holds another", e.Email, e.Serial, *e.MovedTo, *e.Slot)
	case e.Slot != nil:
		return fmt.Sprintf("%s was enrolled with card %d, and slot %s does not hold that key any more", e.Email, e.Serial, *e.Slot)
	}
	return fmt.Sprintf("%s is not enrolled with card %d: there is nothing to renew", e.Email, e.Serial)
}

// NotDueError is returned for certificates that are valid for longer than a renewal is
// asked for. Nothing was changed, and nothing is wrong.
type NotDueError struct {
	Email    string
	NotAfter time.Time     // of the one that ends first
	Within   time.Duration // how long before its end one is to be renewed
}

// Error says until when they are valid.
func (e *NotDueError) Error() string {
	return fmt.Sprintf("the certificate of %s is valid until %s, for more than %d days: it is not renewed yet",
		e.Email, format.Day(e.NotAfter), int(e.Within.Hours()/24))
}

// RenewalBegunError is returned for a renewal of another kind than the one that was begun.
type RenewalBegunError struct {
	Email  string
	Serial uint32
	Begun  Renewal
}

// Error says which was begun.
func (e *RenewalBegunError) Error() string {
	what := "a new key"
	if e.Begun == RenewSameKey {
		what = "the same key"
	}
	return fmt.Sprintf("the renewal of %s with card %d was begun with %s, and the other is asked for", e.Email, e.Serial, what)
}

// RetiredSlotsError is returned for a card with too few free retired slots for the old keys, or for
// copies of old keys. Nothing was changed.
type RetiredSlotsError struct {
	Serial       uint32
	Free, Needed int  // slots
	Copies       bool // of old keys need them
}

// Error says how many are free.
func (e *RetiredSlotsError) Error() string {
	if e.Copies {
		return fmt.Sprintf("copies of old keys that need a retired slot of card %d each: %d; free ones of its 20: %d", e.Serial, e.Needed, e.Free)
	}
	if e.Free == 0 {
		return fmt.Sprintf("all 20 retired slots of card %d are in use: the old key has nowhere to go", e.Serial)
	}
	return fmt.Sprintf("of the 20 retired slots of card %d only %d is free, and %d old keys need one", e.Serial, e.Free, e.Needed)
}

// CannotKeepKeyError is returned for a key that a new one would overwrite, because the
// card cannot move it. Nothing was changed.
type CannotKeepKeyError struct {
	Slot     piv.Slot
	Firmware piv.Version
	Contents string
	Serial   uint32
}

// Error says what would be lost.
func (e *CannotKeepKeyError) Error() string {
	return fmt.Sprintf("firmware %s cannot move the old key to a retired slot: a new key would take the place of %s in slot %s of card %d, and what was encrypted to it could no longer be read with this card",
		e.Firmware, e.Contents, e.Slot, e.Serial)
}

// sameLeaf reports whether the certificate is the one with that SHA-256.
func sameLeaf(leaf *x509.Certificate, sha256 string) bool {
	return leaf != nil && certificate.Fingerprint(leaf) == sha256
}
