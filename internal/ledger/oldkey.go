package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// EnterHistory enters certificates of old keys, which are on a card for old mail alone, as in use for
// that. What the ledger has of the user on that card stays; what was in the slot is erased.
func (l *Ledger) EnterHistory(ctx context.Context, certificates []CardCertificate) error {
	return l.change(ctx, "record old keys", func(tx *sql.Tx) error {
		var changed []CardCertificate
		for _, c := range certificates {
			there, err := l.cards(ctx, tx, "WHERE serial = ?", int64(c.Serial))
			if err != nil {
				return err
			}
			for _, old := range there {
				if old.Slot == c.Slot && old.LeafSHA256 != c.LeafSHA256 && (old.State == CardInUse || old.State == CardSuperseded) {
					old.State, old.Reason = CardErased, ""
					changed = append(changed, old)
				}
			}
			c.Use, c.State = certificate.UseHistory, CardInUse
			at := slices.IndexFunc(there, func(old CardCertificate) bool {
				return Key(old.Email) == Key(c.Email) && old.LeafSHA256 == c.LeafSHA256 && old.State != CardErased
			})
			if at >= 0 { // a renewal superseded it, or it is in use
				known := there[at]
				known.Slot, known.KeyPairID, known.Origin = c.Slot, cmp.Or(c.KeyPairID, known.KeyPairID), cmp.Or(c.Origin, known.Origin)
				c = known
			}
			changed = append(changed, c)
		}
		return l.recordCards(ctx, tx, changed)
	})
}
