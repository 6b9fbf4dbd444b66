//go:build cgo && (linux || darwin)

package piv

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"testing"

	pivgo "github.com/go-piv/piv-go/v2/piv"
)

// TestWherePivgoKeepsTheHandle fails when a new version of piv-go has its
// connection's handle elsewhere than handleOf looks.
func TestWherePivgoKeepsTheHandle(t *testing.T) {
	holder, ok := reflect.TypeFor[pivgo.YubiKey]().FieldByName("h")
	if !ok || holder.Type.Kind() != reflect.Pointer || holder.Type.Elem().Kind() != reflect.Struct {
		t.Fatalf("field h is a %v", holder.Type)
	}
	if handle, ok := holder.Type.Elem().FieldByName("h"); !ok || !isInteger(handle.Type.Kind()) || holder.Type.Elem().NumField() != 1 {
		t.Errorf("it points to %v", holder.Type.Elem())
	}
	if got := pivgoField(t, "pcsc_windows.go", "scHandle", "handle"); got != "syscall.Handle" {
		t.Errorf("on Windows the handle is a %q", got)
	}
	if _, err := handleOf(reflect.ValueOf(&pivgo.YubiKey{})); err == nil {
		t.Error("a YubiKey that is not open has a handle")
	}
}

func isInteger(kind reflect.Kind) bool { return kind >= reflect.Int && kind <= reflect.Uintptr }

// pivgoField returns the type of a struct's field as it stands in a file of
// piv-go, which is not compiled here.
func pivgoField(t *testing.T, file, structure, field string) (kind string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pivgoSource(t), file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || spec.Name.Name != structure {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			if selector, ok := f.Type.(*ast.SelectorExpr); ok && f.Names[0].Name == field {
				kind = selector.X.(*ast.Ident).Name + "." + selector.Sel.Name
			}
		}
		return false
	})
	return kind
}

func TestHandleOf(t *testing.T) {
	type unix struct{ h int32 }
	type windows struct{ handle uintptr }
	type holder[T any] struct{ h *T }
	for name, test := range map[string]struct {
		key  any
		want uint64
	}{
		"signed":        {&holder[unix]{&unix{7}}, 7},
		"unsigned":      {&holder[windows]{&windows{9}}, 9},
		"nowhere":       {&struct{}{}, 0},
		"not a pointer": {holder[unix]{}, 0},
		"not open":      {&holder[unix]{}, 0},
		"a number":      {&struct{ h int }{1}, 0},
		"a text":        {&holder[struct{ h string }]{&struct{ h string }{"7"}}, 0},
		"something":     {&holder[int]{new(int)}, 0},
	} {
		got, err := handleOf(reflect.ValueOf(test.key))
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}
