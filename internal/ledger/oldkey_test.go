package ledger_test

import (
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestOldKeys are entered for history: what a renewal superseded stays so, what was in the slot is
// erased, and what was erased is there again.
func TestOldKeys(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		card := func(slot, leaf string, state ledger.CardState) ledger.CardCertificate {
			return ledger.CardCertificate{Email: "ada@lab.example", Serial: 7, Slot: slot, LeafSHA256: leaf, NotAfter: cardEnd, State: state, Use: certificate.UseBoth}
		}
		if err := l.RecordCards(t.Context(), []ledger.CardCertificate{
			card("9d", "now", ledger.CardInUse), card("82", "renewed", ledger.CardSuperseded), card("83", "overwritten", ledger.CardSuperseded), card("", "gone", ledger.CardErased),
		}); err != nil {
			t.Fatal(err)
		}
		renewed, imported, back := card("82", "renewed", ""), card("83", "old", ""), card("84", "gone", "")
		renewed.KeyPairID, imported.Origin = "pair", "imported"
		want := "7 9d both in-use  ;7 82 both superseded pair ;7 83 both erased  ;7 84 history in-use  ;7 83 history in-use  imported;"
		for range 2 {
			if err := l.EnterHistory(t.Context(), []ledger.CardCertificate{renewed, imported, back}); err != nil {
				t.Fatal(err)
			}
			all, err := l.Cards(t.Context(), "ada@lab.example")
			got := map[string]string{}
			for _, c := range all {
				got[c.LeafSHA256] = fmt.Sprintf("%d %s %s %s %s %s;", c.Serial, c.Slot, c.Use, c.State, c.KeyPairID, c.Origin)
			}
			if text := got["now"] + got["renewed"] + got["overwritten"] + got["gone"] + got["old"]; err != nil || len(all) != 5 || text != want {
				t.Errorf("%v\n%s\n%s", err, text, want)
			}
		}
	})
}
