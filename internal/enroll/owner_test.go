package enroll

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// owners names the files that may write each result of an enrollment: those of the
// step that it belongs to.
func owners() map[string][]string {
	return map[string][]string{
		"cardResult":        {"step_card.go"},
		"userResult":        {"step_user.go", "othercard.go"},
		"evidenceResult":    {"step_slots.go", "resume.go", "renewal.go", "step_evidence.go", "journal.go", "preview.go", "progress.go", "init.go"},
		"slotResult":        {"step_slots.go", "renewal.go"},
		"renewalResult":     {"renewal.go"},
		"keyResult":         {"step_slots.go", "progress.go"},
		"attestResult":      {"step_attest.go"},
		"certificateResult": {"step_certificate.go", "step_request.go", "step_chain.go"},
		"importResult":      {"step_import.go"},
		"copiesResult":      {"step_copies.go"},
		"secretsResult":     {"step_secrets.go", "newcard.go", "policy.go", "protectedkey.go", "step_pin.go", "step_escrow.go"},
		"escrowResult":      {"step_escrow.go"},
		"identityResult":    {"step_gmail.go"},
		"readyResult":       {"init.go"},
	}
}

// TestEachResultHasOneOwner: a field of a result is assigned in no other file than its
// step's, so that a reader sees which step writes what.
func TestEachResultHasOneOwner(t *testing.T) {
	files := map[string]*ast.File{}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			if files[name], err = parser.ParseFile(set, name, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	owner := map[string]string{} // of a field's name
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || owners()[spec.Name.Name] == nil {
				return true
			}
			owner[spec.Name.Name] = spec.Name.Name
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				for _, name := range field.Names {
					owner[name.Name] = spec.Name.Name
				}
			}
			return true
		})
	}
	if len(owner) < 40 {
		t.Fatalf("only %d fields were found", len(owner))
	}
	for name, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			assignment, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, left := range assignment.Lhs {
				selector, ok := left.(*ast.SelectorExpr)
				if !ok {
					continue
				}
				if result := owner[selector.Sel.Name]; result != "" && !slices.Contains(owners()[result], name) && of(selector) {
					t.Errorf("%s: %s of %s is written", set.Position(left.Pos()), selector.Sel.Name, result)
				}
			}
			return true
		})
	}
}

// of reports whether the field is one of an enrollment, a key or a result of theirs,
// by the names that these have everywhere.
func of(selector *ast.SelectorExpr) bool {
	switch x := selector.X.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"e", "key", "k", "s", "c"}, x.Name)
	case *ast.SelectorExpr:
		base, ok := x.X.(*ast.Ident)
		return ok && base.Name == "e"
	}
	return false
}
