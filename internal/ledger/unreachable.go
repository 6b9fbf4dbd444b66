package ledger

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// UnreachableError is returned where the database does not answer, or refuses.
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
	if text == e.Err.Error() {
		text = innermost(e.Err).Error()
	}
	return fmt.Sprintf("ledger %s does not answer: %s", e.Name, text)
}

// innermost is the error that has no cause, without what pgx says around it. pgx joins an
// error for each address of a host; the first says enough.
func innermost(err error) error {
	switch wrapped := err.(type) {
	case interface{ Unwrap() []error }:
		return innermost(wrapped.Unwrap()[0])
	case interface{ Unwrap() error }:
		if cause := wrapped.Unwrap(); cause != nil {
			return innermost(cause)
		}
	}
	return err
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }
