package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

type manifest struct {
	name    string
	dir     string
	open    func(ctx context.Context) (io.ReadCloser, error)
	options Options
}

// Manifest reads a CSV or NDJSON file (RFC 4180; ndjson.org), UTF-8 with or
// without a byte order mark, or UTF-16 with one; other encodings are named. A CSV names its columns in its first line and is
// delimited by comma, semicolon or tab, whichever gives known names. The names
// are the same in both:
//
//	email                    the user's primary address; also E-Mail, Email Address
//	                         and the like, where no column is called email
//	certificate              for signing and encryption, or instead:
//	signing_certificate
//	encryption_certificate
//	history                  for old mail only; several, with ; between them, as
//	                         repeated columns or as a JSON list
//	description              kept at Gmail
//
// A certificate is a path relative to the manifest, PEM (in quotes it may have
// several lines) or DER in base64; with "_path" behind its name it is a path.
// Paths stay in the manifest's folder unless Options.AllowOutside. Other columns
// are not used, which Options.Note is told.
//
// The file is streamed. A row may have 1 MiB; a row that is longer, malformed or
// names no file gets its Err, and the next one is read. After a row whose quotes
// are broken, reading goes on at the next line with an @ and a delimiter. Blank
// lines are no rows.
func Manifest(path string, options Options) Source {
	open := func(ctx context.Context) (io.ReadCloser, error) {
		file, err := durable.OpenStream(path)
		if err != nil {
			return nil, err
		}
		// Where the path is a pipe, a waiting read ends with the context.
		stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
		return &stoppingFile{file, stop}, nil
	}
	return &manifest{name: path, dir: filepath.Dir(path), open: open, options: options}
}

type stoppingFile struct {
	*os.File
	stop func() bool
}

func (s *stoppingFile) Close() error {
	s.stop()
	return s.File.Close()
}

func isPipe(input io.Reader) bool {
	file, ok := input.(*stoppingFile)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// ManifestFrom is [Manifest] for a stream, whose rows can be read once. Paths are
// relative to Options.Dir.
func ManifestFrom(name string, r io.Reader, options Options) Source {
	used := false
	open := func(ctx context.Context) (io.ReadCloser, error) {
		if used {
			return nil, errors.New("the stream was read before")
		}
		used = true
		return io.NopCloser(durable.Interruptible(ctx, r)), nil
	}
	return &manifest{name: name, dir: options.Dir, open: open, options: options}
}

func (m *manifest) Name() string { return m.name }

func (m *manifest) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		err := m.read(ctx, func(row Row) bool { return yield(row, nil) })
		switch {
		case err == nil || errors.Is(err, errStopped):
		case ctx.Err() != nil: // a read that the context ended may say so in its own words
			yield(Row{}, ctx.Err())
		default:
			yield(Row{}, err)
		}
	}
}

// errStopped says that nobody wants more rows.
var errStopped = errors.New("stopped")

func (m *manifest) read(ctx context.Context, yield func(Row) bool) error {
	input, err := m.open(ctx)
	if err != nil {
		return fmt.Errorf("open the manifest: %w", err)
	}
	defer input.Close()
	files, err := openFiles(m.dir, m.options.AllowOutside)
	if err != nil {
		return err
	}
	defer files.Close()
	lines, err := spreadsheet.NewLines(ctx, input)
	if broken, ok := errors.AsType[*spreadsheet.Error](err); ok {
		return formatError(cmp.Or(broken.Expected, expectHeader), "%w", err)
	} else if err != nil {
		return err
	}
	head := lines.Beginning()
	if len(head) == 0 && isPipe(input) {
		return formatError("begin to write into it before it is read", "it is a pipe, and nobody writes into it")
	}
	if err := otherFile(head); err != nil {
		return err
	}
	rows := m.csv
	if m.isNDJSON(head) {
		rows = m.ndjson
	}
	err = rows(lines, files, yield)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (m *manifest) isNDJSON(head []byte) bool {
	switch strings.ToLower(filepath.Ext(m.name)) {
	case ".ndjson", ".jsonl":
		return true
	}
	return strings.HasPrefix(strings.TrimLeft(string(head), " \t\n"), "{")
}

// start is a row with nothing but its place.
func (m *manifest) start(number int) Row {
	return Row{Where: fmt.Sprintf("%s line %d", m.name, number), Line: number}
}

func (m *manifest) csv(lines *spreadsheet.Lines, files *files, yield func(Row) bool) error {
	least := 2
	if m.options.AddressesOnly {
		least = 1
	}
	reader := spreadsheet.NewReader(lines, spreadsheet.Options{Known: func(names []string) int { return countKnown(columnsOf(names)) }, Least: least})
	header, err := reader.Next()
	switch {
	case errors.Is(err, io.EOF):
		return formatError(expectHeader, "it has no header")
	case err != nil:
		return err
	case header.Err != nil:
		return formatError(expectHeader, "its first line cannot be read: %w", header.Err)
	}
	columns := columnsOf(header.Cells)
	if err := checkHeader(columns, m.options.AddressesOnly); err != nil {
		return err
	}
	if others := othersOf(columns); len(others) > 0 {
		m.options.note("columns of %s that are not used: %s", m.name, spreadsheet.Headings(namesOf(others)))
	}
	for {
		record, err := reader.Next()
		if err != nil {
			return err
		}
		row := m.start(record.Line)
		values := make([]value, 0, len(columns))
		for i, text := range record.Cells[:min(len(record.Cells), len(columns))] {
			values = append(values, value{columns[i], text})
		}
		switch n := len(record.Cells); {
		case record.Err != nil:
			row.Err = brokenRow(record.Err)
		case n > len(columns):
			row.Email = emailOf(values)
			row.Err = rowError(ReasonMalformed, "put quotes around cells that hold the delimiter", "the row has %d cells, the header %d", n, len(columns))
		case n < len(columns) && record.Cut:
			row.Email = emailOf(values)
			row.Err = rowError(ReasonMalformed, "was the file cut off?", "the file ends in this row after %d of %d cells", n, len(columns))
		default:
			row = fill(row, values, files)
		}
		if !yield(row) {
			return errStopped
		}
	}
}

// emailOf is the address of a row that cannot be used otherwise.
func emailOf(values []value) string {
	for _, v := range values {
		if v.column.kind == columnEmail {
			return strings.TrimSpace(strings.ToValidUTF8(v.text, "?"))
		}
	}
	return ""
}

func (m *manifest) ndjson(lines *spreadsheet.Lines, files *files, yield func(Row) bool) error {
	unused := map[string]bool{}
	for {
		current, err := lines.Next()
		if err != nil {
			return err
		}
		text := strings.TrimSpace(string(current.Text))
		if text == "" && !current.TooLong {
			continue
		}
		row := m.start(current.Number)
		values, others, err := parseObject(current.Text)
		switch {
		case current.TooLong:
			row.Err = rowError(ReasonTooLong, expectNDJSON, "the line is longer than %d kB", spreadsheet.MaxRow>>10)
		case err != nil:
			row.Err = err
		default:
			row = fill(row, values, files)
		}
		const most = 20 // what is remembered must not grow with the file
		for _, name := range others {
			if !unused[name] && len(unused) < most {
				unused[name] = true
				m.options.note("a name in %s that is not used: %s", m.name, shorten(name))
			}
		}
		if !yield(row) {
			return errStopped
		}
	}
}
