package ledger

import "context"

// Queue is how many entries wait.
type Queue struct {
	Waiting int
	Due     int // of them; the others are to be tried again later
}

// Queue counts the entries of a run that wait. Run 0 stands for every run whose source
// was read to its end, as in [Ledger.Claim].
func (l *Ledger) Queue(ctx context.Context, run int64) (q Queue, err error) {
	err = l.each(ctx, func(row scanner) error { return row.Scan(&q.Waiting, &q.Due) },
		`SELECT count(*), coalesce(sum(CASE WHEN due <= ? THEN 1 ELSE 0 END), 0) FROM entry WHERE state = 'waiting'
			AND run IN (SELECT id FROM run WHERE id = ? OR ? = 0 AND read > 0 AND NOT dry_run)`, milliseconds(l.Now()), run, run)
	return q, l.failed("count who waits", err)
}

// Ping returns an error when the ledger does not answer, or its file is not this
// process's any more.
func (l *Ledger) Ping(ctx context.Context) error {
	if l.lock != nil {
		if err := l.lock.check(); err != nil {
			return l.failed("look at the file", err)
		}
	}
	return l.failed("ask", l.read.PingContext(ctx))
}
