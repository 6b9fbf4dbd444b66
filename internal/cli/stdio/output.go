package stdio

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// JSON writes one value as indented JSON.
func JSON(out io.Writer, value any) error {
	return safetext.EncodeJSON(out, value, "  ")
}

// Table writes aligned columns; cells are cleaned, since much of them comes from
// cards and servers.
type Table struct{ tabs *tabwriter.Writer }

// NewTable begins a table with its headings.
func NewTable(out io.Writer, headings ...string) *Table {
	t := &Table{tabs: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	cells := make([]any, len(headings))
	for i, heading := range headings {
		cells[i] = heading
	}
	t.Row(cells...)
	return t
}

// Row adds a line.
func (t *Table) Row(cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(t.tabs, "\t")
		}
		fmt.Fprint(t.tabs, safetext.Clean(fmt.Sprint(cell)))
	}
	fmt.Fprintln(t.tabs)
}

// Flush writes the table.
func (t *Table) Flush() error { return t.tabs.Flush() }

// Clock is how times are shown in tables, in UTC.
const Clock = "2006-01-02 15:04:05"
