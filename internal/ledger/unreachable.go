package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cse-piv/cse-piv/internal/safetext"
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

// Code returns PostgreSQL's SQLSTATE, "" where the server was not reached.
func (e *UnreachableError) Code() string {
	if refused := e.refusal(); refused != nil {
		return refused.Code
	}
	return ""
}

// Error names the database and what was tried.
func (e *UnreachableError) Error() string {
	if refused := e.refusal(); refused != nil {
		return fmt.Sprintf("ledger %s refuses: %s (SQLSTATE %s)", e.Name, refused.Message, refused.Code)
	}
	text := safetext.NetworkError(e.Err)
	// pgx has a line for each address of a host; the first says enough.
	if head, rest, many := strings.Cut(text, "\n"); many {
		first, _, _ := strings.Cut(rest, "\n")
		text = head + " " + strings.TrimSpace(first)
	}
	return fmt.Sprintf("ledger %s does not answer: %s", e.Name, text)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }
