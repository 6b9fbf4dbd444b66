package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// printJSON writes one value as indented JSON.
func printJSON(out io.Writer, value any) error {
	return safetext.EncodeJSON(out, value, "  ")
}

// table writes aligned columns; cells are cleaned, since much of them comes from
// cards and servers.
type table struct{ tabs *tabwriter.Writer }

func newTable(out io.Writer, headings ...string) *table {
	t := &table{tabs: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	cells := make([]any, len(headings))
	for i, heading := range headings {
		cells[i] = heading
	}
	t.row(cells...)
	return t
}

func (t *table) row(cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(t.tabs, "\t")
		}
		fmt.Fprint(t.tabs, safetext.Clean(fmt.Sprint(cell)))
	}
	fmt.Fprintln(t.tabs)
}

func (t *table) flush() error { return t.tabs.Flush() }
