package enroll

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Receipt is what an enrollment came to. Its JSON is the output of enroll and
// demo, and receipt.json among the evidence; the field names are a contract.
type Receipt struct {
	Email    string          `json:"email"` // the primary address
	Card     ReceiptCard     `json:"card"`
	Keys     []ReceiptKey    `json:"keys"`
	Identity ReceiptIdentity `json:"identity"`
	Evidence string          `json:"evidence"` // the folder
	// GmailEndpoint is where Gmail was asked, if it was not at Google's own address.
	GmailEndpoint string `json:"gmail_endpoint,omitempty"`
	// EscrowInForce names the files with what the card has now; nil where this
	// program did not set it.
	EscrowInForce *ReceiptEscrow `json:"escrow_in_force,omitempty"`
	// Renewal says what was renewed; nil for an enrollment.
	Renewal *ReceiptRenewal `json:"renewal,omitempty"`
	// Copies are those of old keys that the card got, which read old mail.
	Copies []ReceiptCopy `json:"copies,omitempty"`
	// Profile names the enrollment profile that was followed, at the latest by a run that named
	// one; nil for none.
	Profile *evidence.Profile `json:"profile,omitempty"`
}

// ReceiptRenewal says what was renewed.
type ReceiptRenewal struct {
	Kind Renewal         `json:"kind"` // new-key, or same-key for a new certificate alone
	Keys []ReceiptOldKey `json:"keys"` // that were there before
}

// ReceiptOldKey is a key that was renewed. Its key pair at Gmail stays enabled.
type ReceiptOldKey struct {
	Slot            string `json:"slot"`                  // that it was in, such as "9d"
	PublicKeySHA256 string `json:"public_key_sha256"`     // of the SubjectPublicKeyInfo
	LeafSHA256      string `json:"leaf_sha256,omitempty"` // lower-case hex, of the DER
	// MovedTo is the retired slot that holds it now, such as "82"; empty where it stayed, or
	// where the new one took its place.
	MovedTo string `json:"moved_to,omitempty"`
}

// ReceiptCopy is the copy of an old key, in a retired slot.
type ReceiptCopy struct {
	Slot       string        `json:"slot"`        // such as "82"
	Origin     piv.Origin    `json:"origin"`      // imported: such a key is never attested
	Algorithm  piv.Algorithm `json:"algorithm"`   // such as "rsa2048"
	LeafSHA256 string        `json:"leaf_sha256"` // lower-case hex, of the DER
	// Imported says that this run put it onto the card; else it was there already.
	Imported bool `json:"-"`
}

// Line says for people what became of the key.
func (k ReceiptOldKey) Line(kind Renewal) string {
	switch {
	case kind == RenewSameKey:
		return fmt.Sprintf("slot %s: the same key with a new certificate", k.Slot)
	case k.MovedTo == "":
		return fmt.Sprintf("slot %s: a new key took the place of the old one, which the card could not move", k.Slot)
	}
	return fmt.Sprintf("slot %s: a new key; the old one reads old mail in slot %s", k.Slot, k.MovedTo)
}

// ReceiptEscrow names the escrow's files with the card's PUK and management key,
// empty where it was not sealed for this user.
type ReceiptEscrow struct {
	PUK           string `json:"puk,omitempty"`            // the file with the PUK
	ManagementKey string `json:"management_key,omitempty"` // the file with the management key
	// SealedTo names the recipients of those files, by their public keys; none for
	// files that are not sealed.
	SealedTo []string `json:"sealed_to,omitempty"`
}

// ReceiptCard names the card: serial number and firmware as they are attested, where
// they are.
type ReceiptCard struct {
	Serial   uint32 `json:"serial"`   // of the card
	Firmware string `json:"firmware"` // such as "5.7.4"
	Model    string `json:"model"`    // such as "YubiKey 5C NFC"
	// PUKFactory is "no", or "unknown" where the card does not tell and nobody
	// allowed to try it.
	PUKFactory piv.Tri `json:"puk_factory"`
}

// Lines say for people where what is sealed; none for nil.
func (e *ReceiptEscrow) Lines() []string {
	if e == nil {
		return nil
	}
	var lines []string
	switch {
	case e.PUK == e.ManagementKey:
		lines = append(lines, "PUK and management key in "+e.PUK)
	case e.PUK != "":
		lines = append(lines, "PUK in "+e.PUK)
	}
	if e.ManagementKey != "" && e.ManagementKey != e.PUK {
		lines = append(lines, "management key in "+e.ManagementKey)
	}
	for _, recipient := range e.SealedTo {
		lines = append(lines, "sealed to "+recipient)
	}
	return lines
}

// ReceiptKey is one key of the card and its registration.
type ReceiptKey struct {
	Slot      string `json:"slot"`      // such as "9d"
	Algorithm string `json:"algorithm"` // such as "rsa2048"
	Origin    string `json:"origin"`    // generated, imported or unknown
	Attested  bool   `json:"attested"`  // an attestation was verified
	// AttestationRoot is the subject of the root that the attestation leads to, and
	// YubicoRoot says whether it is one of Yubico's that come with this program.
	AttestationRoot string `json:"attestation_root,omitempty"`
	YubicoRoot      bool   `json:"yubico_root"`
	// PINPolicy and TouchPolicy say when the key asks for the PIN and for a touch, in
	// the words of the command line; "unknown" where the card does not tell.
	PINPolicy   string `json:"pin_policy"`
	TouchPolicy string `json:"touch_policy"`
	LeafSHA256  string `json:"leaf_sha256"` // lower-case hex, of the DER
	KeyPairID   string `json:"key_pair_id"` // Gmail's
}

// Proof says whether the key is attested, and up to which root.
func (k ReceiptKey) Proof() string {
	return proof(k.Attested, k.AttestationRoot, k.YubicoRoot)
}

// NoPIN says what it means that the key asks for no PIN; empty where it does.
func (k ReceiptKey) NoPIN() string { return noPIN(k.PINPolicy) }

// proof says whether a key is attested, up to which root, and whether that is
// another one than Yubico's.
func proof(attested bool, root string, yubico bool) string {
	switch {
	case !attested:
		return "not attested"
	case root == "":
		return "attested"
	case yubico:
		return "attested up to " + root
	}
	return "attested up to " + root + ", which is not Yubico's"
}

// ReceiptIdentity is the user's identity at Gmail: one key pair for both uses,
// or one for each.
type ReceiptIdentity struct {
	Email               string `json:"email"`                            // the address that mail is sent from
	PrimaryKeyPairID    string `json:"primary_key_pair_id,omitempty"`    // of a single key, for both uses
	SigningKeyPairID    string `json:"signing_key_pair_id,omitempty"`    // of two keys
	EncryptionKeyPairID string `json:"encryption_key_pair_id,omitempty"` // of two keys
}

// auditedReceipt is receipt.json: the receipt and what only an auditor asks.
type auditedReceipt struct {
	Receipt
	Finished time.Time        `json:"finished"`
	Operator string           `json:"operator"`
	Tool     string           `json:"tool"`
	Details  []auditedKey     `json:"details"`
	Replaced *ReceiptIdentity `json:"replaced_identity,omitempty"`
	Escrow   []string         `json:"escrow,omitempty"` // where generated secrets are sealed
	// CardReset is when the card was reset after the user's enrollment with it before; zero where
	// it was not.
	CardReset time.Time `json:"card_reset,omitzero"`
}

type auditedKey struct {
	Slot                string             `json:"slot"`
	Use                 certificate.Use    `json:"use"`
	PublicKeySHA256     string             `json:"public_key_sha256"` // of the SubjectPublicKeyInfo
	Attestation         *attestation.Facts `json:"attestation,omitempty"`
	ChainSHA256         []string           `json:"chain_sha256"` // leaf to root
	NotAfter            time.Time          `json:"not_after"`
	Findings            []smime.Finding    `json:"findings,omitempty"`
	Description         string             `json:"description"`                     // as Gmail has it
	SuperfluousKeyPairs []string           `json:"superfluous_key_pairs,omitempty"` // others at Gmail for the same certificate
	ReplacedKeySHA256   string             `json:"replaced_key_sha256,omitempty"`
	ReplacedCertificate string             `json:"replaced_certificate_sha256,omitempty"`
}

func (e *enrollment) makeReceipt(puk piv.Tri) Receipt {
	receipt := Receipt{
		Email:    e.request.Email,
		Card:     ReceiptCard{Serial: e.request.Serial, Firmware: e.card.Identity().Firmware.String(), Model: e.card.Identity().Model, PUKFactory: puk},
		Identity: ReceiptIdentity(e.identity.outcome.Identity),
		Evidence: e.evidence.folder.Path(), GmailEndpoint: e.deps.GmailEndpoint, Profile: e.evidence.journal.Profile,
	}
	for i, key := range e.keys {
		pinPolicy, touchPolicy := key.policies()
		reported := ReceiptKey{
			Slot: key.Slot.String(), Algorithm: string(key.algorithm), Origin: key.origin, Attested: key.facts != nil,
			PINPolicy: string(pinPolicy), TouchPolicy: string(touchPolicy),
			LeafSHA256: certificate.Fingerprint(key.leaf), KeyPairID: e.identity.outcome.Keys[i].Pair.ID,
		}
		if facts := key.facts; facts != nil {
			reported.AttestationRoot, reported.YubicoRoot = facts.Root, facts.Yubico
			receipt.Card.Firmware = facts.Firmware
			receipt.Card.Serial = cmp.Or(facts.Serial, receipt.Card.Serial)
		}
		receipt.Keys = append(receipt.Keys, reported)
	}
	receipt.EscrowInForce, receipt.Renewal = e.escrowInForce(), e.receiptOfRenewal()
	for _, entry := range e.request.Copies {
		algorithm, _ := piv.AlgorithmOf(entry.Key.Public())
		receipt.Copies = append(receipt.Copies, ReceiptCopy{Slot: entry.Slot.String(), Origin: piv.Imported, Algorithm: algorithm, LeafSHA256: certificate.Fingerprint(entry.Certificate)})
	}
	return receipt
}

// escrowInForce says where the secrets are sealed that the card has; nil where none is.
func (e *enrollment) escrowInForce() *ReceiptEscrow {
	sealed := ReceiptEscrow{PUK: e.currentRecord(evidence.SecretPUK), ManagementKey: e.currentRecord(evidence.SecretManagementKey)}
	if sealed.PUK == "" && sealed.ManagementKey == "" {
		return nil
	}
	for _, recipient := range slices.Concat(e.evidence.journal.SealedTo[sealed.PUK], e.evidence.journal.SealedTo[sealed.ManagementKey]) {
		if !slices.Contains(sealed.SealedTo, recipient) {
			sealed.SealedTo = append(sealed.SealedTo, recipient)
		}
	}
	return &sealed
}

// receiptOfRenewal says what the folder's journal says of a renewal; nil for none.
func (e *enrollment) receiptOfRenewal() *ReceiptRenewal {
	of := e.evidence.journal.Renewal
	if of == nil {
		return nil
	}
	renewed := &ReceiptRenewal{Kind: Renewal(of.Kind)}
	for _, slot := range slices.Sorted(maps.Keys(of.Keys)) {
		old := of.Keys[slot]
		renewed.Keys = append(renewed.Keys, ReceiptOldKey{Slot: slot, PublicKeySHA256: old.Key, LeafSHA256: old.Certificate, MovedTo: old.MovedTo})
	}
	return renewed
}

// recordOf is where a secret that the card has was sealed; empty where it was not.
func (e *enrollment) recordOf(name string) string {
	if noted := e.noted(name); noted.State == evidence.SecretSet {
		return noted.Record
	}
	return ""
}

func (e *enrollment) audited(puk piv.Tri) auditedReceipt {
	audited := auditedReceipt{
		Receipt: e.makeReceipt(puk), Finished: e.deps.Now().UTC(), Operator: e.deps.Operator, Tool: e.deps.Tool,
		Escrow: e.evidence.journal.Escrow, CardReset: e.evidence.journal.AfterReset,
	}
	if before := e.identity.outcome.Change.Before; before != nil {
		replaced := ReceiptIdentity(*before)
		audited.Replaced = &replaced
	}
	for i, key := range e.keys {
		entry := e.evidence.journal.Keys[key.Slot.String()]
		details := auditedKey{
			Slot: key.Slot.String(), Use: key.Use, PublicKeySHA256: certificate.KeyFingerprint(key.public), Attestation: key.facts,
			NotAfter: key.leaf.NotAfter.UTC(), Findings: key.findings, Description: e.describe(key),
			ReplacedKeySHA256: entry.Replaces, ReplacedCertificate: entry.ReplacedCertificate,
		}
		for _, pair := range e.identity.outcome.Keys[i].Superfluous {
			details.SuperfluousKeyPairs = append(details.SuperfluousKeyPairs, pair.ID)
		}
		for _, cert := range key.chain {
			details.ChainSHA256 = append(details.ChainSHA256, certificate.Fingerprint(cert))
		}
		audited.Details = append(audited.Details, details)
	}
	return audited
}
