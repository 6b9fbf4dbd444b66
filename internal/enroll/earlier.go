package enroll

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Earlier is what the evidence says that an enrollment changed at Gmail.
type Earlier struct {
	Serial uint32 // of the card
	// Before is the identity that there was, nil for none; Known tells whether that was
	// written down.
	Before *gmail.Identity
	Known  bool
	// KeyPairs are the ids of the key pairs that it registered; none where it did not come
	// to its end.
	KeyPairs []string
	// Renewing is the renewal that it is where it did not come to its end; empty for none.
	Renewing Renewal
	// Replaces says which cards the card takes the place of; nil for none, and where their use has
	// ended.
	Replaces *Replacement
	// Open says that it did not come to its end, and GivenUp that somebody gave it up then.
	Open, GivenUp bool
	// Copies are the SHA-256 (lower-case hex) of the certificates of old keys of which the card was
	// to get a copy.
	Copies []string
}

// NoEvidenceError is returned where there is no evidence of an enrollment.
type NoEvidenceError struct{ Email string }

// Error names the user.
func (e *NoEvidenceError) Error() string {
	return "there is no evidence of an enrollment of " + e.Email
}

// RenewingError is returned where the newest enrollment is a renewal that did not come to its end.
type RenewingError struct {
	Email  string
	Serial uint32
	Kind   Renewal
}

// Error says so.
func (e *RenewingError) Error() string {
	return fmt.Sprintf("a renewal of %s with card %d was begun and is not finished", e.Email, e.Serial)
}

// UnknownBeforeError is returned where the evidence does not say which identity a user had
// before an enrollment.
type UnknownBeforeError struct{ Email string }

// Error says so.
func (e *UnknownBeforeError) Error() string {
	return "the evidence does not say which identity " + e.Email + " had before the enrollment"
}

// ReadEarlier reads what the newest enrollment of a user changed; serial is of the card, 0 for
// whichever it was. The error may be a *NoEvidenceError.
func ReadEarlier(root, email string, serial uint32) (Earlier, error) {
	folder, err := evidence.Newest(root, email)
	if serial != 0 {
		folder, err = evidence.Latest(root, email, serial)
	}
	if err != nil {
		return Earlier{}, err
	}
	if folder == nil {
		return Earlier{}, &NoEvidenceError{email}
	}
	journal, err := folder.Journal()
	if err != nil {
		return Earlier{}, err
	}
	earlier := Earlier{
		Serial: folder.Serial(), Known: journal.IdentityBefore != nil,
		Replaces: begunReplacement(journal), Copies: slices.Sorted(maps.Keys(journal.Copies)),
	}
	if before := journal.IdentityBefore; before != nil && *before != (evidence.IdentityJournal{}) {
		earlier.Before = &gmail.Identity{Email: email, PrimaryKeyPairID: before.Primary, SigningKeyPairID: before.Signing, EncryptionKeyPairID: before.Encryption}
	}
	earlier.GivenUp = !journal.GivenUp.IsZero()
	data, err := folder.Read(evidence.ReceiptName)
	earlier.Open = data == nil
	if data == nil && journal.Renewal != nil {
		earlier.Renewing = Renewal(journal.Renewal.Kind)
	}
	if err != nil || data == nil {
		return earlier, err
	}
	var receipt Receipt
	if err := json.Unmarshal(data, &receipt); err != nil {
		return earlier, fmt.Errorf("reading %s: %w", folder.File(evidence.ReceiptName), err)
	}
	for _, key := range receipt.Keys {
		earlier.KeyPairs = append(earlier.KeyPairs, key.KeyPairID)
	}
	return earlier, nil
}

// journalOf is an identity as the journal has it.
func journalOf(identity *gmail.Identity) *evidence.IdentityJournal {
	if identity == nil {
		return &evidence.IdentityJournal{}
	}
	return &evidence.IdentityJournal{Primary: identity.PrimaryKeyPairID, Signing: identity.SigningKeyPairID, Encryption: identity.EncryptionKeyPairID}
}
