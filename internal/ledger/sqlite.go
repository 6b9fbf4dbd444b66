package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

// pageSize is that of a new file, in bytes; chains of a few kB fill it well.
const pageSize = 4096

// openSQLite returns connections on which the given pragmas hold.
func openSQLite(path string, pragmas ...string) *sql.DB {
	values := url.Values{}
	// The first waits for others to let go, so that setting the next can.
	values.Add("_pragma", "busy_timeout(10000)")
	for _, pragma := range pragmas {
		values.Add("_pragma", pragma)
	}
	values.Set("_txlock", "immediate")
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: values.Encode()}
	return sql.OpenDB(connector(name.String()))
}

func writerPragmas(options Options) []string {
	pragmas := []string{
		"journal_mode(WAL)",
		// A commit is on the disk when it returns: an answer of Gmail is recorded
		// before the next call, through a power cut as well. Changes share commits.
		"synchronous(FULL)",
		"journal_size_limit(67108864)",
		"temp_store(MEMORY)",
	}
	if options.MaxBytes > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count(%d)", max(options.MaxBytes/pageSize, 1)))
	}
	return pragmas
}

// rebind turns the ? of a statement into the $1, $2, … of PostgreSQL.
func (l *Ledger) rebind(query string) string {
	if !l.Shared() {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		fmt.Fprintf(&b, "$%d", n)
		query = after
	}
}

// places is "(?, ?), (?, ?)" for rows of that many columns.
func places(rows, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")
}

// connector opens SQLite connections to a file of that name.
type connector string

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(string(c)) }

// Driver implements driver.Connector.
func (connector) Driver() driver.Driver { return new(sqlite.Driver) }
