package ledger

import (
	"context"
	"database/sql"
	"sync"
)

// statements keeps what SQLite made of a file's few frequent statements; pgx does
// so by itself.
type statements struct {
	db *sql.DB

	mu   sync.Mutex
	made map[string]*sql.Stmt
}

// maxStatements bounds them: lists of addresses have many lengths.
const maxStatements = 16

// QueryContext makes it a queryer.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := s.get(ctx, query)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return s.db.QueryContext(ctx, query, args...)
	}
	return statement.QueryContext(ctx, args...)
}

// get returns the statement, nil where there are too many.
func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if statement := s.made[query]; statement != nil {
		return statement, nil
	}
	if len(s.made) >= maxStatements {
		return nil, nil
	}
	statement, err := s.db.PrepareContext(ctx, query)
	if err == nil {
		s.made[query] = statement
	}
	return statement, err
}

// known returns a statement that was made before, or nil.
func (s *statements) known(query string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[query]
}

// prepare readies a file's statements. Within a transaction none can be made: it
// has the only connection.
func (l *Ledger) prepare(ctx context.Context) error {
	l.reading = &statements{db: l.read, made: map[string]*sql.Stmt{}}
	l.writing = &statements{db: l.write, made: map[string]*sql.Stmt{}}
	for _, query := range []string{l.updateEntry(setStep), l.updateEntry(setState), l.updateEntry(setDone), updatePair} {
		if _, err := l.writing.get(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// execute runs a statement in a transaction.
func (l *Ledger) execute(ctx context.Context, tx *sql.Tx, query string, args ...any) (sql.Result, error) {
	if l.writing != nil {
		if statement := l.writing.known(query); statement != nil {
			return tx.StmtContext(ctx, statement).ExecContext(ctx, args...)
		}
	}
	return tx.ExecContext(ctx, l.rebind(query), args...)
}

// reader is where entries are read that are taken one by one.
func (l *Ledger) reader() queryer {
	if l.reading != nil {
		return l.reading
	}
	return l.read
}
