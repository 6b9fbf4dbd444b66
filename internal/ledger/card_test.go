package ledger_test

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// cardEnd is when certificates on cards end.
var cardEnd = time.UnixMilli(1890000000000).UTC()

// onCard is a certificate as a desk enters it.
func onCard(email string, serial uint32, slot, name string) ledger.CardCertificate {
	return ledger.CardCertificate{Email: email, Serial: serial, Slot: slot, Use: certificate.UseBoth, LeafSHA256: leaf(name), NotAfter: cardEnd,
		KeyPairID: "id-" + name, State: ledger.CardInUse}
}

// TestCards: whose a card is and which cards a person has stay known, whatever becomes of
// them.
func TestCards(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		enter := func(email string, serial uint32, slot, name string) {
			t.Helper()
			if err := l.Enter(t.Context(), enrolled(email, name), []ledger.CardCertificate{onCard(email, serial, slot, name)}); err != nil {
				t.Fatal(err)
			}
		}
		states := func(found []ledger.CardCertificate, err error) (text string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range found {
				text += c.Email + " " + c.Slot + " " + string(c.State) + ";"
			}
			return text
		}
		history := onCard("ada@lab.example", 1, "82", "old")
		history.Use = certificate.UseHistory
		if err := l.RecordCards(t.Context(), []ledger.CardCertificate{history}); err != nil {
			t.Fatal(err)
		}
		enter("Ada@lab.example", 1, "9d", "one")
		first, _ := l.Cards(t.Context(), "ada@LAB.example")
		enter("Ada@lab.example", 1, "9d", "one")
		again, err := l.Cards(t.Context(), "ada@lab.example")
		if err != nil || len(again) != 2 || again[1] != first[1] || again[1].Since.IsZero() || again[1].NotAfter != cardEnd || again[1].KeyPairID != "id-one" {
			t.Errorf("%+v %v", again, err)
		}
		// The same slot is another person's afterwards.
		enter("bob@lab.example", 1, "9d", "two")
		if got := states(l.OnCard(t.Context(), 1)); got != "ada@lab.example 82 in-use;Ada@lab.example 9d superseded;bob@lab.example 9d in-use;" {
			t.Error(got)
		}
		// Another card of the same person takes the first one's place.
		enter("bob@lab.example", 2, "9d", "three")
		if got := states(l.Cards(t.Context(), "bob@lab.example")); got != "bob@lab.example 9d superseded;bob@lab.example 9d in-use;" {
			t.Error(got)
		}
		lost, err := l.OnCard(t.Context(), 2)
		if err != nil || len(lost) != 1 {
			t.Fatal(lost, err)
		}
		lost[0].State, lost[0].Reason, lost[0].Slot = ledger.CardLost, "on the train", "82"
		if err := l.RecordCards(t.Context(), lost); err != nil {
			t.Fatal(err)
		}
		now, err := l.OnCard(t.Context(), 2)
		if err != nil || now[0].State != ledger.CardLost || now[0].Reason != "on the train" || now[0].Slot != "82" || now[0].Since != lost[0].Since || now[0].Changed.Before(lost[0].Changed) {
			t.Errorf("%+v %v", now, err)
		}
		// A key pair that is not told stays the one that is known.
		now[0].KeyPairID, now[0].Slot = "", "83"
		if err := l.RecordCards(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if again, err := l.OnCard(t.Context(), 2); err != nil || again[0].KeyPairID != "id-three" || again[0].Slot != "83" {
			t.Errorf("%+v %v", again, err)
		}
		if none, err := l.OnCard(t.Context(), 3); err != nil || len(none) != 0 {
			t.Error(none, err)
		}
	})
}
