package ledger

import "github.com/jackc/pgx/v5/pgxpool"

// Pool is the connections of a shared ledger.
func (l *Ledger) Pool() *pgxpool.Pool { return l.pool }
