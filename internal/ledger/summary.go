package ledger

import (
	"context"
	"database/sql"
	"time"
)

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Counts tells how far a run is.
func (l *Ledger) Counts(ctx context.Context, run int64) (Counts, error) {
	var counts Counts
	err := l.each(ctx, func(row scanner) error {
		var state State
		var earlier, takenOver bool
		var n int
		if err := row.Scan(&state, &earlier, &takenOver, &n); err != nil {
			return err
		}
		counts.Total += n
		switch {
		case state == StateDone:
			counts.Done += n
			if earlier {
				counts.Earlier += n
			}
		case state == StateFailed:
			counts.Failed += n
		case takenOver:
			counts.TakenOver += n
		default:
			counts.Waiting += n
			if earlier {
				counts.WaitingAgain += n
			}
		}
		return nil
	}, `SELECT state, earlier, FALSE, count(*) FROM entry WHERE run = ? GROUP BY state, earlier UNION ALL
		SELECT state, earlier, TRUE, count(*) FROM past_entry WHERE run = ? GROUP BY state, earlier`, run, run)
	return counts, l.failed("count the entries", err)
}

// Groups sums up a run's failures by what helps and why, most frequent first,
// with the first user of each as an example.
func (l *Ledger) Groups(ctx context.Context, run int64) ([]Group, error) {
	groups := []Group{}
	err := l.each(ctx, func(row scanner) error {
		var g Group
		err := row.Scan(&g.Class, &g.Reason, &g.Count, &g.Example, &g.Message, &g.Hint)
		groups = append(groups, g)
		return err
	}, `SELECT g.class, g.reason, g.n, CASE WHEN e.address = '' THEN e.origin ELSE e.address END, e.message, e.hint
		FROM (SELECT class, reason, count(*) AS n, min(email) AS example FROM run_entry WHERE run = ? AND state = 'failed' GROUP BY class, reason) AS g
		JOIN run_entry AS e ON e.run = ? AND e.email = g.example
		ORDER BY g.n DESC, g.class, g.reason`, run, run)
	return groups, l.failed("group the failures", err)
}

// Superfluous returns how many of a run's users have superfluous key pairs, and the
// first of them as an example.
func (l *Ledger) Superfluous(ctx context.Context, run int64) (users int, example string, err error) {
	err = l.each(ctx, func(row scanner) error { return row.Scan(&users, &example) },
		`SELECT s.n, coalesce(e.address, '') FROM
			(SELECT count(*) AS n, min(email) AS first FROM run_entry WHERE run = ? AND superfluous) AS s
			LEFT JOIN run_entry AS e ON e.run = ? AND e.email = s.first`, run, run)
	return users, example, l.failed("count superfluous key pairs", err)
}

// Progress returns how a run went on over time: points at equal distances from
// its start to its end (or to the last change so far), each with what was
// done and failed until then, without what an earlier run had done.
func (l *Ledger) Progress(ctx context.Context, run int64, buckets int) ([]Point, error) {
	r, err := l.Run(ctx, run)
	if err != nil {
		return nil, err
	}
	end := milliseconds(r.Finished)
	if end == 0 {
		if err := l.each(ctx, func(row scanner) error { return row.Scan(&end) },
			`SELECT coalesce(max(updated), 0) FROM run_entry WHERE run = ? AND NOT earlier`, r.ID); err != nil {
			return nil, l.failed("measure the progress", err)
		}
	}
	start := milliseconds(r.Started)
	// The last bucket takes what changed in the last millisecond, and what a desk
	// saw to later.
	span := end - start + 1
	buckets = max(buckets, 1)
	points := make([]Point, buckets+1)
	for i := range points {
		points[i].Time = r.Started.Add(time.Duration(i) * time.Duration(max(span, 1)) * time.Millisecond / time.Duration(buckets))
	}
	err = l.each(ctx, func(row scanner) error {
		var state State
		var bucket int64
		var n int
		if err := row.Scan(&state, &bucket, &n); err != nil {
			return err
		}
		at := &points[min(max(bucket, 0)+1, int64(buckets))]
		if state == StateDone {
			at.Done += n
		} else {
			at.Failed += n
		}
		return nil
	}, `SELECT state, (updated - ?) * ? / ? AS bucket, count(*) FROM run_entry
		WHERE run = ? AND state <> 'waiting' AND NOT (state = 'done' AND earlier) GROUP BY state, bucket`, start, buckets, max(span, 1), r.ID)
	if err != nil {
		return nil, l.failed("measure the progress", err)
	}
	for i := 1; i < len(points); i++ {
		points[i].Done += points[i-1].Done
		points[i].Failed += points[i-1].Failed
	}
	return points, nil
}

// each calls visit for each row.
func (l *Ledger) each(ctx context.Context, visit func(scanner) error, query string, args ...any) error {
	var rows *sql.Rows
	if err := l.Retry(ctx, func() (err error) {
		rows, err = l.read.QueryContext(ctx, l.rebind(query), args...)
		return err
	}); err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
