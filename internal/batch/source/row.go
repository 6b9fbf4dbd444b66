// Package source reads who is to be registered with which certificates: from a
// folder in the layout of Google's script, a CSV or NDJSON manifest, or an LDAP
// directory. Sources are streamed; nothing here asks Gmail or judges a chain.
package source

import (
	"context"
	"iter"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// Row is what a source says of one user.
type Row struct {
	// Where names the row for a person: "people.csv line 17", a file, an LDAP
	// entry's name.
	Where string
	// Line is the number of the row's first line, from 1; 0 where there are none.
	Line int
	// Email is the address as the source has it, without surrounding space.
	Email string
	// Description is kept with the key pairs at Gmail; empty for the default.
	Description string
	// Certificates holds one for both uses, or one for signing and one for
	// encryption, and any number for history.
	Certificates []Certificate
	// Notes is what a person may want to know of a row that can be used.
	Notes []string
	// Err says why the row cannot be used; nobody else's row is affected.
	Err error
}

// Certificate is one leaf as the source has it, perhaps with parts of its chain.
type Certificate struct {
	Use certificate.Use
	// Origin names the file or attribute that the bytes came from.
	Origin string
	// Data is a file of certificates as it was found, such as PEM, DER, PKCS#7 or PKCS#12.
	Data []byte
}

// Source is a stream of rows.
type Source interface {
	// Name is the source as a person typed it, without secrets.
	Name() string
	// Rows yields every row once, in the source's order. An error that is not
	// about one row ends the stream as the last pair's second value; it does not
	// repeat the source's name.
	Rows(ctx context.Context) iter.Seq2[Row, error]
}
