package batch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// usedReasons are all names in the program that a failure can have, found in its
// source where no list has them.
func usedReasons(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{"internal": "batch", "other": "batch", "row": "prepare", "address-twice": "ledger"}
	for _, rule := range smime.Rules() {
		if rule.Severity == smime.SeverityError {
			used[rule.ID] = "smime"
		}
	}
	inspect := func(pattern string, visit func(ast.Node)) {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool { visit(n); return true })
		}
	}
	text := func(e ast.Expr) (string, bool) {
		literal, ok := e.(*ast.BasicLit)
		if !ok {
			return "", false
		}
		value, err := strconv.Unquote(literal.Value)
		return value, err == nil
	}
	constants := func(prefix, where string) func(ast.Node) {
		return func(n ast.Node) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, prefix) {
				return
			}
			if name, ok := text(spec.Values[0]); ok && name != string(gmail.KindCanceled) {
				used[name] = where
			}
		}
	}
	inspect("source/errors.go", constants("Reason", "source"))
	inspect("../gmail/errors.go", constants("Kind", "gmail"))
	inspect("prepare/*.go", func(n ast.Node) { // &Fault{"reason", …}
		literal, ok := n.(*ast.CompositeLit)
		if !ok || fmt.Sprint(literal.Type) != "Fault" || len(literal.Elts) != 2 {
			return
		}
		if name, ok := text(literal.Elts[0]); ok {
			used[name] = "prepare"
		}
	})
	return used
}

// TestReasons: every reason that the program has is in the list, once, with what it
// means; and the list has no others. Those of Gmail's answers have the
// class that they are recorded with.
func TestReasons(t *testing.T) {
	used, listed := usedReasons(t), map[string]bool{}
	if len(used) < 45 {
		t.Errorf("only %d reasons were found in the program", len(used))
	}
	classes := []ledger.Class{ledger.ClassRow, ledger.ClassFinal, ledger.ClassLater, ledger.ClassAdministrator}
	for _, reason := range Reasons() {
		where := used[reason.Name]
		if where == "" || listed[reason.Name] || reason.Meaning == "" || !slices.Contains(classes, reason.Class) {
			t.Errorf("%+v, found in %q", reason, where)
		}
		listed[reason.Name] = true
		if where == "gmail" {
			if class := classOf(&gmail.Error{Kind: gmail.Kind(reason.Name)}); class != reason.Class {
				t.Errorf("%s is of the class %s, and listed as %s", reason.Name, class, reason.Class)
			}
		}
	}
	for name, where := range used {
		if !listed[name] || !IsReason(name) {
			t.Errorf("%s of %s is not in the list", name, where)
		}
	}
}
