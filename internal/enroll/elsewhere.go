package enroll

import (
	"context"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// findBegunElsewhere finds the user's keys where a renewal with new keys moved them that another
// computer began, whose evidence is not here: Gmail says from which slots of this card they are, and
// the certificates in the retired slots which they are. Such a renewal is gone on with as long as
// no new key is in the slots. The error is a *NotEnrolledError for what is none.
func (e *enrollment) findBegunElsewhere(ctx context.Context, earlier *earlierRun) error {
	not := &NotEnrolledError{Email: e.request.Email, Serial: e.request.Serial}
	if e.user.registration == nil {
		return not
	}
	identity, err := e.user.registration.Identity(ctx)
	if err != nil {
		return err
	}
	if identity == nil {
		return not
	}
	history, err := e.card.History(ctx)
	if err != nil {
		return err
	}
	used := map[string]piv.SlotContents{} // what there is of the identity's key pairs
	moved := map[piv.Slot]piv.SlotContents{}
	for _, pair := range e.user.registration.KeyPairs() {
		slot, ok := slotAtGmail(pair, e.request.Serial)
		if !ok || !identity.Uses(pair.ID) {
			continue
		}
		there, err := e.card.Slot(ctx, slot)
		if err != nil {
			return err
		}
		not.Slot = &slot
		if isOf(there, pair) {
			used[pair.ID] = there
			continue
		}
		at := slices.IndexFunc(history.Slots, func(contents piv.SlotContents) bool { return isOf(contents, pair) })
		if at < 0 {
			return not
		}
		if there.Key != nil || e.request.Renew == RenewSameKey {
			not.MovedTo = &history.Slots[at].Slot
			return not
		}
		contents := history.Slots[at]
		moved[slot] = contents
		contents.Slot = slot // as it was there
		used[pair.ID] = contents
	}
	keys := keysOf(identity, used)
	if len(moved) == 0 || keys == nil {
		return not
	}
	for slot, contents := range moved {
		e.note("a renewal that was begun elsewhere moved the key of slot %s to slot %s: it is gone on with", slot, contents.Slot)
	}
	earlier.keys, earlier.moved = keys, moved
	return nil
}

// isOf reports whether a slot holds the key of a key pair.
func isOf(contents piv.SlotContents, pair gmail.KeyPair) bool {
	chain := chainOf(pair)
	return chain != nil && contents.Key != nil && certificate.SameKey(chain[0].PublicKey, contents.Key.PublicKey)
}

// keysOf returns the keys of an identity as a request would have asked for them; nil where not all
// are there.
func keysOf(identity *gmail.Identity, there map[string]piv.SlotContents) (keys []KeyRequest) {
	uses := []certificate.Use{certificate.UseBoth}
	ids := []string{identity.PrimaryKeyPairID}
	if identity.PrimaryKeyPairID == "" {
		uses = []certificate.Use{certificate.UseSign, certificate.UseEncrypt}
		ids = []string{identity.SigningKeyPairID, identity.EncryptionKeyPairID}
	}
	for i, id := range ids {
		contents, ok := there[id]
		if !ok {
			return nil
		}
		key := requestOf(contents)
		key.Use = uses[i]
		keys = append(keys, key)
	}
	return keys
}
