package enroll

import (
	"context"
	"crypto/x509"
	"fmt"
	"reflect"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Review is what is about to be registered at Gmail, for a person to agree to.
type Review struct {
	Email  string
	Serial uint32
	Keys   []ReviewKey
	// GmailEndpoint is where Gmail is asked, if it is not at Google's own address.
	GmailEndpoint string
}

// ReviewKey is one certificate of a review.
type ReviewKey struct {
	Slot     string
	Use      certificate.Use
	Chain    []*x509.Certificate // leaf to root, as it is to be uploaded
	Findings []smime.Finding     // none of them an error
	// OnCard and Upload are SHA-256 fingerprints (lower-case hex of the DER): of
	// the certificate read from the slot just now, and of the leaf to be uploaded.
	OnCard, Upload string
	// Attested says that the key was proven to be born on this card.
	Attested bool
	// Root is the subject of the root that the proof leads to, and YubicoRoot says
	// whether it is one of Yubico's.
	Root       string
	YubicoRoot bool
	// PINPolicy says when the key asks for the PIN, in the words of the command line.
	PINPolicy string
	// Known says that Gmail has this key pair already.
	Known bool
}

// Same reports whether the card holds the very certificate that is uploaded.
func (k ReviewKey) Same() bool { return k.OnCard == k.Upload }

// Same reports whether the reviews are the same. Whether Gmail has a key pair already
// does not count: it may have come of what was agreed to.
func (r Review) Same(other Review) bool {
	r.Keys, other.Keys = slices.Clone(r.Keys), slices.Clone(other.Keys)
	for _, keys := range [][]ReviewKey{r.Keys, other.Keys} {
		for i := range keys {
			keys[i].Known = false
		}
	}
	return reflect.DeepEqual(r, other)
}

// certified reports whether every certificate and its chain is there, and on the card.
func certified(e *enrollment) bool {
	return !slices.ContainsFunc(e.keys, func(k *key) bool { return k.pkcs7 == nil || !k.onCard })
}

// Proof says whether the key is attested, and up to which root.
func (k ReviewKey) Proof() string {
	return proof(k.Attested, k.Root, k.YubicoRoot)
}

// NoPIN says what it means that the key asks for no PIN; empty where it does.
func (k ReviewKey) NoPIN() string { return noPIN(k.PINPolicy) }

// reviewStep shows a person what is about to be registered. It reads the
// certificates from the card once more, so that what is shown is what is there.
func reviewStep() Step {
	return Step{ID: "review", Title: "review what is to be registered", Kind: KindDecision, Changes: changesNothing,
		needs: certified,
		check: func(ctx context.Context, e *enrollment) error {
			review := Review{Email: e.request.Email, Serial: e.request.Serial, GmailEndpoint: e.deps.GmailEndpoint}
			for _, key := range e.keys {
				reviewed, err := e.reviewKey(ctx, key)
				if err != nil {
					return err
				}
				review.Keys = append(review.Keys, reviewed)
			}
			return e.deps.Review(ctx, review)
		}}
}

func (e *enrollment) reviewKey(ctx context.Context, key *key) (ReviewKey, error) {
	onCard, err := e.certificateOnCard(ctx, key)
	if err != nil {
		return ReviewKey{}, err
	}
	pinPolicy, _ := key.policies()
	reviewed := ReviewKey{
		Slot: key.Slot.String(), Use: key.Use, Chain: key.chain, Findings: key.findings,
		OnCard: onCard, Upload: certificate.Fingerprint(key.leaf), Attested: key.facts != nil, PINPolicy: string(pinPolicy),
	}
	if key.facts != nil {
		reviewed.Root, reviewed.YubicoRoot = key.facts.Root, key.facts.Yubico
	}
	reviewed.Known = e.user.registration.HasKeyPair(reviewed.Upload)
	return reviewed, nil
}

// certificateOnCard reads the key's certificate from the card once more and returns its fingerprint.
// Its error is piv.ErrKeyMismatch where the slot has another one, or none.
func (e *enrollment) certificateOnCard(ctx context.Context, key *key) (string, error) {
	contents, err := e.card.Slot(ctx, key.Slot)
	if err != nil {
		return "", err
	}
	if contents.Certificate == nil || certificate.Fingerprint(contents.Certificate) != certificate.Fingerprint(key.leaf) {
		return "", fmt.Errorf("slot %s: %w", key.Slot, piv.ErrKeyMismatch)
	}
	return certificate.Fingerprint(contents.Certificate), nil
}
