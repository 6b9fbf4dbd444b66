package certtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Verdicts is a table of what is said of certificates, and by whom. It is written to
// NAME.md in the folder that the environment variable VERDICTS names.
type Verdicts struct{ text strings.Builder }

// NewVerdicts returns a table of that heading, with what is to be known about it, and
// columns.
func NewVerdicts(heading, about string, columns ...string) *Verdicts {
	v := &Verdicts{}
	v.text.WriteString("## " + heading + "\n\n" + about + "\n\n")
	v.Row(columns...)
	v.text.WriteString(strings.Repeat("|---", len(columns)) + "|\n")
	return v
}

// Row adds one.
func (v *Verdicts) Row(cells ...string) {
	for _, cell := range cells {
		v.text.WriteString("| " + strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell) + " ")
	}
	v.text.WriteString("|\n")
}

// Write writes the table, where that is asked for.
func (v *Verdicts) Write(t testing.TB, name string) {
	t.Helper()
	dir := os.Getenv("VERDICTS")
	if dir == "" || t.Failed() {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".md"), []byte(v.text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
