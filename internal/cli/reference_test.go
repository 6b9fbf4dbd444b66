package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/glossary"
)

// referencePages are the pages of docs/reference that are made from the program.
var referencePages = map[string]func() string{
	"glossary.md": glossaryPage,
}

// TestReference: the pages of docs/reference say what the program says. With -update
// it writes them anew.
func TestReference(t *testing.T) {
	folder := filepath.Join("..", "..", "docs", "reference")
	for name, page := range referencePages {
		t.Run(name, func(t *testing.T) {
			path, want := filepath.Join(folder, name), page()
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("docs/reference/%s is stale: go test ./internal/cli -run TestReference -update", name)
			}
		})
	}
}

// generated begins a page that nobody is to edit.
func generated(title, about string) string {
	return "<!-- Made by: go test ./internal/cli -run TestReference -update -->\n# " + title + "\n\n" + about + "\n\n"
}

// markdownTable is a table in Markdown; the first row is its head.
func markdownTable(rows ...[]string) string {
	var text strings.Builder
	for i, row := range rows {
		text.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			text.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return text.String()
}

func glossaryPage() string {
	rows := [][]string{{"term", "meaning"}}
	for _, term := range glossary.Terms() {
		rows = append(rows, []string{term.Name, term.Meaning})
	}
	return generated("Glossary", "What the words of screens, messages, documentation and source mean.") + markdownTable(rows...)
}
