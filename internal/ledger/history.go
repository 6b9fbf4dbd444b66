package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A run keeps what became of its users, whatever later runs and desks do: an entry
// that one of these takes over is kept in past_entry before, and the view run_entry
// has both kinds.

// Entries yields everybody whom a run's source had, in the source's order, by line
// and then by address, without the chains of their pairs.
func (l *Ledger) Entries(ctx context.Context, run int64) iter.Seq2[Entry, error] {
	return l.inPages(func(last *stored) ([]*stored, error) {
		if last == nil {
			return l.entriesAfter(ctx, run, -1, "")
		}
		return l.entriesAfter(ctx, run, int64(last.Line), last.key)
	})
}

// inPages yields the entries of one page after the other, of which next reads the one after
// that entry (nil: the first), until a page is not full: whoever reads slowly has no connection.
func (l *Ledger) inPages(next func(last *stored) ([]*stored, error)) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for last := (*stored)(nil); ; {
			page, err := next(last)
			if err != nil {
				yield(Entry{}, l.failed("read the entries", err))
				return
			}
			for _, entry := range page {
				if !yield(entry.Entry, nil) {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
			last = page[len(page)-1]
		}
	}
}

// entriesAfter reads a page of a run's users.
func (l *Ledger) entriesAfter(ctx context.Context, run, line int64, email string) ([]*stored, error) {
	// Of each table a page by its index: through the view, all would be sorted each time.
	const onePage = ` WHERE run = ? AND (line, email) > (?, ?) ORDER BY line, email LIMIT ?`
	rows, err := l.read.QueryContext(ctx, l.rebind(`SELECT * FROM (SELECT `+entryColumns+`, '' AS pairs, FALSE AS past FROM entry`+onePage+`) AS a UNION ALL
		SELECT * FROM (SELECT `+strings.Replace(entryColumns, "revision", "0", 1)+`, pairs, TRUE FROM past_entry`+onePage+`) AS b
		ORDER BY line, email LIMIT ?`), run, line, email, pageRows, run, line, email, pageRows, pageRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page, current []*stored
	for rows.Next() {
		var pairs string
		var past bool
		entry, err := scanEntry(rows, &pairs, &past)
		if err != nil {
			return nil, err
		}
		page = append(page, entry)
		if !past {
			current = append(current, entry)
			continue
		}
		entry.TakenOver = entry.State == StateWaiting
		if err := json.Unmarshal([]byte(pairs), &entry.Pairs); err != nil {
			return nil, fmt.Errorf("key pairs of %s: %w", entry.key, err)
		}
		if len(entry.Pairs) == 0 {
			entry.Pairs = nil
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := l.fetchPairs(ctx, l.read, current, false); err != nil {
		return nil, err
	}
	return page, l.fetchReplaced(ctx, run, page)
}

// fetchReplaced reads which key pairs the run replaced.
func (l *Ledger) fetchReplaced(ctx context.Context, run int64, page []*stored) error {
	if len(page) == 0 {
		return nil
	}
	byKey := make(map[string]*stored, len(page))
	args := []any{run}
	for _, entry := range page {
		byKey[entry.key], args = entry, append(args, entry.key)
	}
	return l.each(ctx, func(row scanner) error {
		var key, id string
		err := row.Scan(&key, &id)
		if entry := byKey[key]; entry != nil {
			entry.Replaced = append(entry.Replaced, id)
		}
		return err
	}, `SELECT email, key_pair_id FROM earlier_pair WHERE run = ? AND email IN `+places(1, len(page))+` ORDER BY email, replaced, key_pair_id`, args...)
}

// archive keeps entries as the runs whose they are leave them. What was kept before
// stays.
func (l *Ledger) archive(ctx context.Context, tx *sql.Tx, entries []*stored) error {
	var rows [][]any
	for _, e := range entries {
		warnings, err := encodeWarnings(e.Warnings)
		if err != nil {
			return err
		}
		pairs, err := json.Marshal(e.Pairs)
		if err != nil {
			return err
		}
		superfluous := slices.ContainsFunc(e.Pairs, func(p Pair) bool { return len(p.Superfluous) > 0 })
		rows = append(rows, []any{e.Run, e.key, e.Email, e.Where, e.Line, string(e.State), e.Step, e.Attempts,
			string(e.Class), e.Reason, e.Message, e.Hint, warnings, e.Worker, milliseconds(e.Updated), e.Earlier, string(pairs), superfluous})
	}
	return l.insert(ctx, tx, `past_entry (run, email, address, origin, line, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier, pairs, superfluous)`,
		" ON CONFLICT (run, email) DO NOTHING", rows)
}
