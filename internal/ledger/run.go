package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrNoRun is returned where the ledger has no such run.
var ErrNoRun = errors.New("the ledger has no such run")

// Begin enters a new run and returns its number. Started is set to now where it
// is zero.
func (l *Ledger) Begin(ctx context.Context, run Run) (int64, error) {
	if run.Started.IsZero() {
		run.Started = l.Now()
	}
	var id int64
	err := l.change(ctx, "begin a run", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, l.rebind(`INSERT INTO run (source, operator, tool, started, dry_run, whole) VALUES (?, ?, ?, ?, ?, TRUE) RETURNING id`),
			run.Source, run.Operator, run.Tool, milliseconds(run.Started), run.DryRun).Scan(&id)
	})
	return id, err
}

// MarkRead notes that the run's source was read to its end.
func (l *Ledger) MarkRead(ctx context.Context, run int64) error {
	return l.mark(ctx, run, "read")
}

// Finish notes that the run ended by itself.
func (l *Ledger) Finish(ctx context.Context, run int64) error {
	return l.mark(ctx, run, "finished")
}

func (l *Ledger) mark(ctx context.Context, run int64, column string) error {
	return l.change(ctx, "mark the run as "+column, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, l.rebind(`UPDATE run SET `+column+` = ? WHERE id = ?`), milliseconds(l.Now()), run)
		return err
	})
}

// runColumns: a run that others worked off, such as workers, finished when the last
// of its users did.
const runColumns = `id, source, operator, tool, started, read, CASE
	WHEN finished > 0 OR read = 0 OR EXISTS (SELECT 1 FROM run_entry WHERE run_entry.run = run.id AND state = 'waiting') THEN finished
	ELSE (SELECT CASE WHEN count(*) = 0 THEN 0 WHEN max(updated) < run.read THEN run.read ELSE max(updated) END FROM run_entry WHERE run_entry.run = run.id)
	END, dry_run, whole`

// Runs lists all runs, newest first.
func (l *Ledger) Runs(ctx context.Context) ([]Run, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT `+runColumns+` FROM run ORDER BY id DESC`)
	if err != nil {
		return nil, l.failed("list the runs", err)
	}
	defer rows.Close()
	runs := []Run{}
	for rows.Next() {
		run, err := scanRun(rows)
		if err != nil {
			return nil, l.failed("list the runs", err)
		}
		runs = append(runs, run)
	}
	return runs, l.failed("list the runs", rows.Err())
}

// Run returns one run; 0 is the newest. The error may be ErrNoRun.
func (l *Ledger) Run(ctx context.Context, id int64) (Run, error) {
	run, err := scanRun(l.read.QueryRowContext(ctx, l.rebind(`SELECT `+runColumns+` FROM run WHERE id = ? OR ? = 0 ORDER BY id DESC LIMIT 1`), id, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, fmt.Errorf("run %d: %w", id, ErrNoRun)
	}
	return run, l.failed("read the run", err)
}

type scanner interface{ Scan(...any) error }

func scanRun(row scanner) (Run, error) {
	var run Run
	var started, read, finished int64
	var whole bool
	err := row.Scan(&run.ID, &run.Source, &run.Operator, &run.Tool, &started, &read, &finished, &run.DryRun, &whole)
	run.Partial = !whole
	run.Started, run.Read, run.Finished = fromMilliseconds(started), fromMilliseconds(read), fromMilliseconds(finished)
	return run, err
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilliseconds(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
