package ledger

import (
	"context"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

// maxStatements bounds what a connection keeps: statements over lists have many
// lengths.
const maxStatements = 64

// cachingConnector opens SQLite connections that keep what SQLite made of a
// statement's text. The queue has a few long statements and sends each for every
// job; making them anew takes longer than carrying them out, and everything that
// writes waits for it.
type cachingConnector struct {
	name string
	// failed is told of errors that do not pass, such as those of a full disk; nil for
	// nobody.
	failed func(error)
}

// Connect implements driver.Connector.
func (c *cachingConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := new(sqlite.Driver).Open(c.name)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks what is needed of it"), conn.Close())
	}
	return &cachingConn{sqliteConn: full, failed: c.failed, made: map[string]*cachedStatement{}}, nil
}

// Driver implements driver.Connector.
func (c *cachingConnector) Driver() driver.Driver { return new(sqlite.Driver) }

// sqliteConn is what database/sql may ask of a connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// cachingConn is used by one goroutine at a time, as all of database/sql's.
type cachingConn struct {
	sqliteConn
	failed func(error)
	made   map[string]*cachedStatement
}

// note tells of an error that does not pass.
func (c *cachingConn) note(err error) {
	switch sqliteCode(err) {
	case 8, 10, 11, 13, 14, 26: // SQLITE_READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
		if c.failed != nil {
			c.failed(err)
		}
	}
}

// BeginTx implements driver.ConnBeginTx.
func (c *cachingConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.sqliteConn.BeginTx(ctx, options)
	if err != nil {
		c.note(err)
		return nil, err
	}
	return &notedTx{Tx: tx, conn: c}, nil
}

// notedTx notes what goes wrong when it is committed.
type notedTx struct {
	driver.Tx
	conn *cachingConn
}

// Commit implements driver.Tx.
func (t *notedTx) Commit() error {
	err := t.Tx.Commit()
	t.conn.note(err)
	return err
}

type cachedStatement struct {
	sqliteStatement
	busy bool // its rows are being read
}

type sqliteStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statement returns the kept statement, or nil where the text goes to SQLite
// directly.
func (c *cachingConn) statement(ctx context.Context, query string) (*cachedStatement, error) {
	if kept := c.made[query]; kept != nil {
		if kept.busy {
			return nil, nil
		}
		return kept, nil
	}
	if len(c.made) >= maxStatements {
		return nil, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	statement, ok := made.(sqliteStatement)
	if !ok {
		return nil, made.Close()
	}
	kept := &cachedStatement{sqliteStatement: statement}
	c.made[query] = kept
	return kept, nil
}

// ExecContext implements driver.ExecerContext.
func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (_ driver.Result, err error) {
	defer func() { c.note(err) }()
	if len(args) == 0 {
		// Pragmas and what makes tables: never again.
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return statement.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *cachingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (_ driver.Rows, err error) {
	defer func() { c.note(err) }()
	if len(args) == 0 {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := statement.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	statement.busy = true
	return &cachedRows{Rows: rows, statement: statement, conn: c}, nil
}

// cachedRows let go of their statement when they are closed.
type cachedRows struct {
	driver.Rows
	statement *cachedStatement
	conn      *cachingConn
}

// Next implements driver.Rows.
func (r *cachedRows) Next(values []driver.Value) error {
	err := r.Rows.Next(values)
	r.conn.note(err)
	return err
}

// Close implements driver.Rows.
func (r *cachedRows) Close() error {
	r.statement.busy = false
	return r.Rows.Close()
}

// Close implements driver.Conn.
func (c *cachingConn) Close() error {
	var errs []error
	for _, statement := range c.made {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}
