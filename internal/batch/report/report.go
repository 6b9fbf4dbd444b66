// Package report writes what a run of the batch came to: as CSV for a
// spreadsheet, as JSON for a program, as one HTML page for a person. Every
// writer streams; none holds the users of a run in memory.
package report

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// Reader is what a report needs of a ledger.
type Reader interface {
	// Counts says how far the run is.
	Counts(ctx context.Context, run int64) (ledger.Counts, error)
	// Groups returns the run's failures by reason, the most frequent first.
	Groups(ctx context.Context, run int64) ([]ledger.Group, error)
	// Superfluous returns how many users have key pairs for a certificate besides the
	// one that serves, and one of them as an example.
	Superfluous(ctx context.Context, run int64) (users int, example string, err error)
	// Entries yields the run's users in the source's order. An error ends it.
	Entries(ctx context.Context, run int64) iter.Seq2[ledger.Entry, error]
	// Progress returns how far the run was, at most buckets points in the order
	// of time.
	Progress(ctx context.Context, run int64, buckets int) ([]ledger.Point, error)
}

// Format is a kind of report.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	JSON Format = "json"
	HTML Format = "html"
)

// Formats lists all formats, for help texts.
var Formats = [...]Format{CSV, JSON, HTML}

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	for _, format := range Formats {
		if strings.EqualFold(name, string(format)) {
			return format, nil
		}
	}
	return "", fmt.Errorf("%q is no format of a report: csv, json or html", name)
}

// FormatOf returns the format that a file's name asks for by its extension.
func FormatOf(file string) (Format, error) {
	extension := strings.TrimPrefix(filepath.Ext(file), ".")
	if strings.EqualFold(extension, "htm") {
		return HTML, nil
	}
	format, err := ParseFormat(extension)
	if err != nil {
		return "", fmt.Errorf("%s: the name of a report ends in .csv, .json or .html", file)
	}
	return format, nil
}

// PartialText says what is missing in the report of a run that is partial.
const PartialText = "an older version of cse-piv made this run: users whom later runs had, too, are missing here"

// SuperfluousText says what is to be done about superfluous key pairs.
const SuperfluousText = "other key pairs for the same certificate serve, and these can be disabled: cse-piv status EMAIL says which, and by which call"

// Write writes the report of one run.
func Write(ctx context.Context, out io.Writer, format Format, reader Reader, run ledger.Run) error {
	var write func(context.Context, io.Writer, Reader, ledger.Run) error
	switch format {
	case CSV:
		write = writeCSV
	case JSON:
		write = writeJSON
	case HTML:
		write = writeHTML
	default:
		return fmt.Errorf("%q is no format of a report", format)
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	err := write(ctx, buffered, reader, run)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the %s report of run %d: %w", format, run.ID, err)
	}
	return nil
}
