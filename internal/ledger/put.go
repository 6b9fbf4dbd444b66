package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// The steps of an entry.
const (
	StepRead     = "read"     // the source was read
	StepKeyPair  = "key-pair" // a key pair is known
	StepIdentity = "identity" // everything is as asked
	StepEnrolled = "enrolled" // and a desk saw to it, not a run
)

// Put enters what a run's source has, at most some thousand rows at a time, and
// returns what each row made of its entry, in the given order, without chains.
//
// A given entry says who and where, its pairs, its warnings, and where the row
// cannot be used StateFailed with class, reason, message and hint. The same
// address again is put aside with a warning; with other certificates it fails.
// An entry that was done with the same leaves counts as done by an earlier run:
// at once with trust, unless it was changed by hand since, else when it has been looked at
// again. What became of a user
// in the run before is kept as that run's. A user whom a later run has taken over
// stays there.
func (l *Ledger) Put(ctx context.Context, run int64, entries []Entry, trust bool) ([]Entry, error) {
	out := make([]Entry, 0, len(entries))
	for chunk := range slices.Chunk(entries, pageRows) {
		var result []Entry
		if err := l.change(ctx, "enter the rows", func(tx *sql.Tx) (err error) {
			result, err = l.putChunk(ctx, tx, run, chunk, trust)
			return err
		}); err != nil {
			return nil, err
		}
		out = append(out, result...)
	}
	return out, nil
}

func (l *Ledger) putChunk(ctx context.Context, tx *sql.Tx, run int64, entries []Entry, trust bool) ([]Entry, error) {
	entries = slices.Clone(entries)
	keys := make([]any, len(entries))
	for i, entry := range entries {
		entries[i] = storable(entry)
		keys[i] = keyOf(entries[i])
	}
	lock := ""
	if l.Shared() {
		// In one order, or two desks that read the same people wait for each other.
		lock = " ORDER BY email FOR UPDATE"
	}
	found, err := l.fetch(ctx, tx, "WHERE email IN "+places(1, len(keys))+lock, false, keys...)
	if err != nil {
		return nil, err
	}
	have := make(map[string]*stored, len(found))
	for _, entry := range found {
		have[entry.key] = entry
	}
	byHand := map[string]Action{}
	if trust {
		if byHand, err = l.changedByHand(ctx, tx, keys); err != nil {
			return nil, err
		}
	}
	now := l.Now()
	changed := map[string]*upsert{}
	var past []*stored
	out := make([]Entry, len(entries))
	for i, entry := range entries {
		key := keyOf(entry)
		h := have[key]
		switch {
		case h != nil && h.Run > run:
			// A later run took the user over and keeps it.
			m := newUpsert(run, nil, entry, trust, now)
			m.key, m.TakenOver = key, m.State == StateWaiting
			past, out[i] = append(past, &m.stored), withoutChains(m.Entry)
			continue
		case h != nil && h.Run == run && h.Where == entry.Where && h.Line == entry.Line:
			// This very row was entered before, and only the answer was lost.
			out[i] = withoutChains(h.Entry)
			continue
		case h != nil && h.Run != run && h.Run != 0:
			past = append(past, h)
		}
		_, touched := byHand[key]
		m := newUpsert(run, have[key], entry, trust && !touched, now)
		if before := changed[key]; before != nil {
			m.newPairs = m.newPairs || before.newPairs
			m.replaced = append(before.replaced, m.replaced...)
		}
		have[key], changed[key] = &m.stored, &m
		out[i] = withoutChains(m.Entry)
	}
	if err := l.archive(ctx, tx, past); err != nil {
		return nil, err
	}
	return out, l.writeChunk(ctx, tx, run, changed, now)
}

func withoutChains(e Entry) Entry {
	e.Pairs = slices.Clone(e.Pairs)
	for i := range e.Pairs {
		e.Pairs[i].PKCS7 = nil
	}
	return e
}

// writeRows bounds one statement: SQLite takes 32,766 parameters.
const writeRows = 100

func (l *Ledger) writeChunk(ctx context.Context, tx *sql.Tx, run int64, changed map[string]*upsert, now time.Time) error {
	var entries, pairs, earlier [][]any
	var rewritten []any
	for _, key := range sortedKeys(changed) {
		m := changed[key]
		warnings, err := encodeWarnings(m.Warnings)
		if err != nil {
			return err
		}
		entries = append(entries, []any{key, m.Email, m.Where, m.Line, m.Run, m.revision, string(m.State), m.Step, m.Attempts,
			string(m.Class), m.Reason, m.Message, m.Hint, warnings, m.Worker, milliseconds(m.Updated), m.Earlier})
		for _, p := range m.replaced {
			if p.KeyPairID != "" {
				earlier = append(earlier, []any{key, run, milliseconds(now), p.Use, p.LeafSHA256, milliseconds(p.NotAfter), p.Description, p.KeyPairID, p.Created})
			}
		}
		if !m.newPairs {
			continue
		}
		rewritten = append(rewritten, key)
		for i, p := range m.Pairs {
			chain := p.PKCS7
			if chain == nil {
				chain = []byte{}
			}
			pairs = append(pairs, []any{key, i, p.Use, p.LeafSHA256, milliseconds(p.NotAfter), p.Description, chain, p.KeyPairID, p.Created,
				joinIDs(p.Superfluous), joinIDs(p.InKeyService)})
		}
	}
	if len(rewritten) > 0 {
		if _, err := tx.ExecContext(ctx, l.rebind(`DELETE FROM pair WHERE email IN `+places(1, len(rewritten))), rewritten...); err != nil {
			return err
		}
	}
	for _, w := range []struct {
		into, conflict string
		rows           [][]any
	}{
		{`entry (` + entryColumns + `)`, upsertEntry, entries},
		{`pair (email, place, use, leaf, not_after, description, pkcs7, key_pair_id, created, superfluous, in_key_service)`, "", pairs},
		{`earlier_pair (email, run, replaced, use, leaf, not_after, description, key_pair_id, created)`, "", earlier},
	} {
		if err := l.insert(ctx, tx, w.into, w.conflict, w.rows); err != nil {
			return err
		}
	}
	return nil
}

// upsertEntry replaces everything but the key and the claim; the entry is due at once.
var upsertEntry = func() string {
	set := []string{"due = 0"}
	for _, column := range strings.Split(entryColumns, ", ")[1:] {
		set = append(set, column+" = excluded."+column)
	}
	return " ON CONFLICT (email) DO UPDATE SET " + strings.Join(set, ", ")
}()

func (l *Ledger) insert(ctx context.Context, tx *sql.Tx, into, conflict string, rows [][]any) error {
	for chunk := range slices.Chunk(rows, writeRows) {
		var args []any
		for _, row := range chunk {
			args = append(args, row...)
		}
		if _, err := tx.ExecContext(ctx, l.rebind(`INSERT INTO `+into+` VALUES `+places(len(chunk), len(chunk[0]))+conflict), args...); err != nil {
			return err
		}
	}
	return nil
}

// storable takes out what PostgreSQL does not keep in a text. Rows come from
// outside: one must not spoil the others.
func storable(e Entry) Entry {
	for _, text := range []*string{&e.Email, &e.Where, &e.Reason, &e.Message, &e.Hint} {
		*text = plainText(*text)
	}
	e.Pairs, e.Warnings = slices.Clone(e.Pairs), slices.Clone(e.Warnings)
	for i := range e.Pairs {
		e.Pairs[i].Description = plainText(e.Pairs[i].Description)
	}
	for i := range e.Warnings {
		e.Warnings[i] = plainText(e.Warnings[i])
	}
	return e
}

func plainText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}

func encodeWarnings(warnings []string) (string, error) {
	if len(warnings) == 0 {
		return "", nil
	}
	data, err := json.Marshal(warnings)
	return string(data), err
}

func sortedKeys(m map[string]*upsert) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
