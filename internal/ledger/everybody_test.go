package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestEverybody: all users come once, in order, more than a page of them; and of those who
// are registered, whose certificate ends when.
func TestEverybody(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		var entries []ledger.Entry
		for i := range 1203 {
			e := asked(fmt.Sprintf("User%04d@x", i), i+1, fmt.Sprint("leaf", i))
			e.Pairs[0].NotAfter = cardEnd.Add(time.Duration(i%7) * time.Hour)
			entries = append(entries, e)
		}
		entries = append(entries, ledger.Entry{Where: "people.csv line 9999", State: ledger.StateFailed})
		put(t, l, run, entries...)
		for i := range 5 {
			e := enrolled(fmt.Sprintf("user%04d@x", i), fmt.Sprint("leaf", i), fmt.Sprint("old", i))
			e.Pairs[0].NotAfter, e.Pairs[1].NotAfter, e.Pairs[1].Use = cardEnd.Add(time.Duration(5-i)*time.Hour), cardEnd, "history"
			if err := l.Enter(t.Context(), e, []ledger.CardCertificate{onCard(e.Email, uint32(i+1), "9d", fmt.Sprint("leaf", i))}); err != nil {
				t.Fatal(err)
			}
		}
		var keys []string
		for entry, err := range l.Everybody(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if len(entry.Pairs) == 0 || entry.Pairs[0].PKCS7 != nil {
				t.Errorf("%+v", entry)
			}
			keys = append(keys, ledger.Key(entry.Email))
		}
		if len(keys) != 1203 || !slices.IsSorted(keys) || len(slices.Compact(keys)) != 1203 {
			t.Errorf("%d users", len(keys))
		}
		var ends []string
		for end, err := range l.Ends(t.Context(), cardEnd.Add(5*time.Hour)) {
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, fmt.Sprint(end.Email, " ", end.Serial, " ", end.Slot, " ", end.NotAfter.Sub(cardEnd)))
		}
		if want := []string{"user0004@x 5 9d 1h0m0s", "user0003@x 4 9d 2h0m0s", "user0002@x 3 9d 3h0m0s", "user0001@x 2 9d 4h0m0s"}; !slices.Equal(ends, want) {
			t.Errorf("%q", ends)
		}
	})
}

// TestManyEnds: more than a page of certificates that end, many at the same time.
func TestManyEnds(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		var entries []ledger.Entry
		for i := range 1203 {
			e := asked(fmt.Sprintf("user%04d@x", i), i+1, fmt.Sprint("leaf", i))
			e.Pairs[0].NotAfter = cardEnd.Add(time.Duration(i%3) * time.Hour)
			entries = append(entries, e)
		}
		put(t, l, run, entries...)
		for _, e := range entries {
			if err := l.MarkEarlier(t.Context(), ledger.Entry{Email: e.Email, Step: ledger.StepIdentity, Updated: cardEnd}); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		last := time.Time{}
		for end, err := range l.Ends(t.Context(), cardEnd.Add(2*time.Hour)) {
			if err != nil || end.NotAfter.Before(last) {
				t.Fatal(end, err)
			}
			last = end.NotAfter
			n++
		}
		if n != 802 {
			t.Errorf("%d, want 802", n)
		}
	})
}
