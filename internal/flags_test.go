package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// flagInText finds the name of a long flag in a text.
var flagInText = regexp.MustCompile("(?:^|[^a-z0-9-])--[a-z]")

// TestNoFlagsBelowCLI: texts below the command line name no flag of it, and no variable:
// they are shown to people at a desk as well, who typed none.
func TestNoFlagsBelowCLI(t *testing.T) {
	others := []string{"cli", "lab", "terminal", filepath.Join("ledger", "pgtest")} // which start other programs
	files := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, other := range others {
			if path == other {
				return fs.SkipDir
			}
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			literal, isText := node.(*ast.BasicLit)
			if !isText || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err == nil && (flagInText.MatchString(text) || strings.Contains(text, "CSE_PIV_")) {
				t.Errorf("%s names a flag: %q", positions.Position(literal.Pos()), text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 200 {
		t.Errorf("only %d files were looked at", files)
	}
}
