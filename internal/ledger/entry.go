package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// pageRows is how many entries are read or written at once.
const pageRows = 500

const entryColumns = `email, address, origin, line, run, revision, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier`

// Key is what an address is filed under: Gmail disregards case.
func Key(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// keyOf files a row that has no address under where it is; of a place whose name
// is too long for PostgreSQL's index, under its hash.
func keyOf(e Entry) string {
	if key := Key(e.Email); key != "" {
		return key
	}
	const most = 1000
	if len(e.Where) > most {
		return fmt.Sprintf(" %x", sha256.Sum256([]byte(e.Where)))
	}
	return " " + e.Where
}

// Entry returns the entry of a user with the chains of its pairs, and whether
// there is one.
func (l *Ledger) Entry(ctx context.Context, email string) (Entry, bool, error) {
	found, err := l.fetch(ctx, l.read, "WHERE email = ?", true, Key(email))
	if err != nil || len(found) == 0 {
		return Entry{}, false, l.failed("read an entry", err)
	}
	return found[0].Entry, true, nil
}

// Known returns what the ledger has of given entries, some hundred at most, without
// chains: by their index, of those that are there.
func (l *Ledger) Known(ctx context.Context, entries []Entry) (map[int]Entry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	keys := make([]any, len(entries))
	for i, entry := range entries {
		keys[i] = keyOf(storable(entry))
	}
	found, err := l.fetch(ctx, l.read, "WHERE email IN "+places(1, len(keys)), false, keys...)
	if err != nil {
		return nil, l.failed("read entries", err)
	}
	known := map[int]Entry{}
	for i := range entries {
		if at := slices.IndexFunc(found, func(s *stored) bool { return s.key == keys[i] }); at >= 0 {
			known[i] = found[at].Entry
		}
	}
	return known, nil
}

// EarlierPairs lists key pairs that a user's entry asked for once and does not
// any more, oldest first.
func (l *Ledger) EarlierPairs(ctx context.Context, email string) ([]Pair, error) {
	var pairs []Pair
	err := l.each(ctx, func(row scanner) error {
		var pair Pair
		var notAfter int64
		err := row.Scan(&pair.Use, &pair.LeafSHA256, &notAfter, &pair.Description, &pair.KeyPairID, &pair.Created)
		pair.NotAfter = fromMilliseconds(notAfter)
		pairs = append(pairs, pair)
		return err
	}, `SELECT use, leaf, not_after, description, key_pair_id, created FROM earlier_pair WHERE email = ? ORDER BY replaced, run`, Key(email))
	return pairs, l.failed("read earlier key pairs", err)
}

// stored is an entry as it stands in the ledger.
type stored struct {
	Entry
	key      string
	revision int64
}

// fetch reads entries and their pairs.
func (l *Ledger) fetch(ctx context.Context, q queryer, where string, chains bool, args ...any) ([]*stored, error) {
	return l.fetchRows(ctx, q, `SELECT `+entryColumns+` FROM entry `+where, chains, args...)
}

// fetchRows is fetch for a statement that returns the entryColumns.
func (l *Ledger) fetchRows(ctx context.Context, q queryer, query string, chains bool, args ...any) ([]*stored, error) {
	rows, err := q.QueryContext(ctx, l.rebind(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []*stored
	for rows.Next() {
		entry, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return entries, l.fetchPairs(ctx, q, entries, chains)
}

// scanEntry reads the entryColumns of a row, and what follows them.
func scanEntry(row scanner, more ...any) (*stored, error) {
	var e stored
	var warnings string
	var updated int64
	if err := row.Scan(append([]any{&e.key, &e.Email, &e.Where, &e.Line, &e.Run, &e.revision, &e.State, &e.Step, &e.Attempts,
		&e.Class, &e.Reason, &e.Message, &e.Hint, &warnings, &e.Worker, &updated, &e.Earlier}, more...)...); err != nil {
		return nil, err
	}
	e.Updated = fromMilliseconds(updated)
	if warnings != "" {
		if err := json.Unmarshal([]byte(warnings), &e.Warnings); err != nil {
			return nil, fmt.Errorf("warnings of %s: %w", e.key, err)
		}
	}
	return &e, nil
}

func (l *Ledger) fetchPairs(ctx context.Context, q queryer, entries []*stored, chains bool) error {
	if len(entries) == 0 {
		return nil
	}
	byKey := make(map[string]*stored, len(entries))
	keys := make([]any, 0, len(entries))
	for _, entry := range entries {
		byKey[entry.key], keys = entry, append(keys, entry.key)
	}
	chain := "''"
	if chains {
		chain = "pkcs7"
	}
	rows, err := q.QueryContext(ctx, l.rebind(`SELECT email, use, leaf, not_after, description, `+chain+`, key_pair_id, created, superfluous, in_key_service FROM pair WHERE email IN `+places(1, len(keys))+` ORDER BY email, place`), keys...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, superfluous, inKeyService string
		var pair Pair
		var notAfter int64
		if err := rows.Scan(&key, &pair.Use, &pair.LeafSHA256, &notAfter, &pair.Description, &pair.PKCS7, &pair.KeyPairID, &pair.Created,
			&superfluous, &inKeyService); err != nil {
			return err
		}
		pair.NotAfter = fromMilliseconds(notAfter)
		if entry := byKey[key]; entry != nil {
			pair.Superfluous, pair.InKeyService = splitIDs(superfluous), splitIDs(inKeyService)
			if len(pair.PKCS7) == 0 {
				pair.PKCS7 = nil
			}
			entry.Pairs = append(entry.Pairs, pair)
		}
	}
	return rows.Err()
}

// splitIDs reads what joinIDs wrote; nil for none.
func splitIDs(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}

// joinIDs writes ids of key pairs, none of which has a blank.
func joinIDs(ids []string) string { return strings.Join(ids, " ") }
