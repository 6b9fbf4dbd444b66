package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// CardState says what became of a certificate on a card.
type CardState string

// The states of a certificate on a card.
const (
	CardInUse      CardState = "in-use"     // the last that was registered for the user
	CardSuperseded CardState = "superseded" // Gmail uses another one, or none
	CardLost       CardState = "lost"       // nobody knows where the card is
	CardStolen     CardState = "stolen"
	CardBroken     CardState = "broken"
	CardReturned   CardState = "returned"  // the user gave the card back
	CardWithdrawn  CardState = "withdrawn" // the user left the organization
	CardErased     CardState = "erased"    // its key was overwritten or deleted, or the card reset
	CardUndone     CardState = "undone"    // it was registered for the wrong person
)

// CardCertificate is a certificate on a card, of one user. The JSON names are a contract.
type CardCertificate struct {
	Email  string          `json:"email"`
	Serial uint32          `json:"serial"` // of the card
	Slot   string          `json:"slot"`   // such as "9d"; empty where it is not known
	Use    certificate.Use `json:"use"`
	// LeafSHA256 is of the certificate's DER, in lower-case hex.
	LeafSHA256 string    `json:"leaf_sha256"`
	NotAfter   time.Time `json:"not_after"`             // when it ends
	KeyPairID  string    `json:"key_pair_id,omitempty"` // Gmail's
	// Origin is imported for a key that came from elsewhere; empty where nobody said.
	Origin  string    `json:"origin,omitempty"`
	State   CardState `json:"state"`
	Reason  string    `json:"reason,omitempty"` // of the state, as a person gave it
	Since   time.Time `json:"since"`            // when it was entered first
	Changed time.Time `json:"changed"`          // when what is known of it changed last
}

// Cards lists the certificates on cards that a user has or had, the oldest first.
func (l *Ledger) Cards(ctx context.Context, email string) ([]CardCertificate, error) {
	found, err := l.cards(ctx, l.read, "WHERE email = ?", Key(email))
	return found, l.failed("list a user's cards", err)
}

// OnCard lists the certificates that are or were on the card with a serial number, whose
// ever they are, the oldest first.
func (l *Ledger) OnCard(ctx context.Context, serial uint32) ([]CardCertificate, error) {
	found, err := l.cards(ctx, l.read, "WHERE serial = ?", int64(serial))
	return found, l.failed("look a card up", err)
}

// RecordCards enters certificates on cards, or what became of those that are there: of each,
// its slot, use, key pair and origin (which stay where none is given), state and reason. Since and Changed are the ledger's. The same again
// changes nothing.
func (l *Ledger) RecordCards(ctx context.Context, certificates []CardCertificate) error {
	return l.change(ctx, "record cards", func(tx *sql.Tx) error { return l.recordCards(ctx, tx, certificates) })
}

func (l *Ledger) recordCards(ctx context.Context, tx *sql.Tx, certificates []CardCertificate) error {
	now := milliseconds(l.Now())
	var rows [][]any
	for _, c := range certificates {
		rows = append(rows, []any{Key(c.Email), plainText(c.Email), int64(c.Serial), c.Slot, string(c.Use), c.LeafSHA256, milliseconds(c.NotAfter),
			c.KeyPairID, string(cmp.Or(c.State, CardInUse)), plainText(c.Reason), now, now, c.Origin})
	}
	return l.insert(ctx, tx, `card_certificate (`+cardColumns+`)`, ` ON CONFLICT (email, serial, leaf) DO UPDATE
		SET slot = excluded.slot, use = excluded.use, key_pair_id = CASE WHEN excluded.key_pair_id = '' THEN card_certificate.key_pair_id ELSE excluded.key_pair_id END,
		state = excluded.state, reason = excluded.reason, changed = excluded.changed,
		origin = CASE WHEN excluded.origin = '' THEN card_certificate.origin ELSE excluded.origin END
		WHERE card_certificate.slot <> excluded.slot OR card_certificate.use <> excluded.use OR card_certificate.key_pair_id <> excluded.key_pair_id AND excluded.key_pair_id <> ''
		OR card_certificate.state <> excluded.state OR card_certificate.reason <> excluded.reason
		OR card_certificate.origin <> excluded.origin AND excluded.origin <> ''`, rows)
}

// enterCards enters what was registered for a user. What was in use of the user's before, or
// in the same slots, is superseded; what is there for history stays.
func (l *Ledger) enterCards(ctx context.Context, tx *sql.Tx, registered []CardCertificate) error {
	var changed []CardCertificate
	for _, c := range registered {
		found, err := l.cards(ctx, tx, "WHERE state = ? AND use <> ? AND (email = ? OR serial = ? AND slot = ? AND slot <> '')",
			string(CardInUse), string(certificate.UseHistory), Key(c.Email), int64(c.Serial), c.Slot)
		if err != nil {
			return err
		}
		for _, old := range found {
			same := func(other CardCertificate) bool {
				return other.LeafSHA256 == old.LeafSHA256 && other.Serial == old.Serial && Key(other.Email) == Key(old.Email)
			}
			if !slices.ContainsFunc(registered, same) && !slices.ContainsFunc(changed, same) {
				old.State, old.Reason = CardSuperseded, ""
				changed = append(changed, old)
			}
		}
	}
	return l.recordCards(ctx, tx, append(changed, registered...))
}

const cardColumns = `email, address, serial, slot, use, leaf, not_after, key_pair_id, state, reason, since, changed, origin`

func (l *Ledger) cards(ctx context.Context, q queryer, where string, args ...any) ([]CardCertificate, error) {
	rows, err := q.QueryContext(ctx, l.rebind(`SELECT address, serial, slot, use, leaf, not_after, key_pair_id, state, reason, since, changed, origin FROM card_certificate `+
		where+` ORDER BY since, serial, slot, leaf, email`), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []CardCertificate{}
	for rows.Next() {
		var c CardCertificate
		var serial, notAfter, since, changed int64
		if err := rows.Scan(&c.Email, &serial, &c.Slot, &c.Use, &c.LeafSHA256, &notAfter, &c.KeyPairID, &c.State, &c.Reason, &since, &changed, &c.Origin); err != nil {
			return nil, err
		}
		c.Serial = uint32(serial)
		c.NotAfter, c.Since, c.Changed = fromMilliseconds(notAfter), fromMilliseconds(since), fromMilliseconds(changed)
		found = append(found, c)
	}
	return found, rows.Err()
}
