package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// UnreachableError: the database does not answer, or refuses.
type UnreachableError struct {
	Name string
	Err  error
}

// refusal is what PostgreSQL itself said, nil where it was not reached. pgx tries a
// server in several ways, and has an error for each.
func (e *UnreachableError) refusal() *pgconn.PgError {
	var refused *pgconn.PgError
	if errors.As(e.Err, &refused) {
		return refused
	}
	return nil
}

// Error names the database and what was tried.
func (e *UnreachableError) Error() string {
	if refused := e.refusal(); refused != nil {
		return fmt.Sprintf("ledger %s refuses: %s (SQLSTATE %s)", e.Name, refused.Message, refused.Code)
	}
	text := e.Err.Error()
	// pgx has a line for each address of a host; the first says enough.
	if head, rest, many := strings.Cut(text, "\n"); many {
		first, _, _ := strings.Cut(rest, "\n")
		text = head + " " + strings.TrimSpace(first)
	}
	return fmt.Sprintf("ledger %s does not answer: %s", e.Name, text)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Hint says what to look at.
func (e *UnreachableError) Hint() string {
	code := ""
	if refused := e.refusal(); refused != nil {
		code = refused.Code
	}
	switch code {
	case "28P01": // invalid_password
		return "check the user and the password: in ~/.pgpass, in PGPASSWORD, or in CSE_PIV_STORE"
	case "28000": // invalid_authorization_specification
		return "let the server's pg_hba.conf admit this user, from this machine, to this database"
	case "3D000": // invalid_catalog_name
		return "make the database, and let its user own it: createdb --owner USER DATABASE"
	case "53300": // too_many_connections
		return "allow more connections (max_connections of the server), or fewer for each process: ?pool_max_conns=5 behind the address"
	case "57P03": // cannot_connect_now
		return "it starts or stops just now: run the same command again in a moment"
	}
	return "check that PostgreSQL runs there, that the database exists and that the user may log in: psql postgres://…"
}
