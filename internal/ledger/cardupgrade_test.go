package ledger

import "testing"

// TestCardsOfBefore: what desks wrote down before there were cards in the ledger is known
// of them, and nothing of a place that is no card.
func TestCardsOfBefore(t *testing.T) {
	onEachStore(t, func(t *testing.T, url string) {
		old := makeVersion(t, url, 5)
		enter := func(email, origin, step, description string) {
			t.Helper()
			for _, statement := range []string{
				`INSERT INTO entry (email, address, origin, line, run, revision, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier)
					VALUES ('` + email + `', '` + email + `', '` + origin + `', 0, 0, 1, 'done', '` + step + `', 0, '', '', '', '', '', 'op', 1790000002000, FALSE)`,
				`INSERT INTO pair (email, place, use, leaf, not_after, description, pkcs7, key_pair_id, created)
					VALUES ('` + email + `', 0, 'both', '` + email + `', 1890000000000, '` + description + `', '', 'pair', TRUE)`,
			} {
				if _, err := old.write.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
		}
		enter("ada@x", "card 4294967295", "enrolled", "YubiKey 5, serial 4294967295, slot 9d")
		enter("bob@x", "card 7", "enrolled", "a card")
		enter("eve@x", "card 7x", "enrolled", "a card")
		enter("ute@x", "people.csv", "identity", "a card")
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		l := mustOpen(t, url)
		for email, want := range map[string]CardCertificate{"ada@x": {Serial: 4294967295, Slot: "9d"}, "bob@x": {Serial: 7}, "eve@x": {}, "ute@x": {}} {
			found, err := l.Cards(t.Context(), email)
			if err != nil || len(found) != min(1, int(want.Serial)) {
				t.Errorf("%s: %+v %v", email, found, err)
			} else if len(found) == 1 && (found[0].Serial != want.Serial || found[0].Slot != want.Slot || found[0].State != CardInUse || found[0].Since.UnixMilli() != 1790000002000) {
				t.Errorf("%s: %+v", email, found)
			}
		}
	})
}
