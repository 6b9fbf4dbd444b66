package lab

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// TestDocumentedTables: docs/reference/practice-lab.md has a row for each thing that
// the lab can be told.
func TestDocumentedTables(t *testing.T) {
	raw, err := os.ReadFile("../../docs/reference/practice-lab.md")
	if err != nil {
		t.Fatal(err)
	}
	row := func(name, about string) {
		if !strings.Contains(string(raw), "\n| `"+name+"` | "+about+" |\n") {
			t.Errorf("docs/reference/practice-lab.md has no row for %s: %s", name, about)
		}
	}
	for _, form := range fault.Forms() {
		row(form.Spec, form.About)
	}
	for _, body := range workspace.Bodies() {
		row(body.Name, body.About)
	}
	for _, lie := range yubikey.Lies() {
		row(lie.Name, lie.About)
	}
	for _, call := range ControlCalls() {
		if !strings.Contains(string(raw), "\n| `"+strings.TrimSpace(call.Method+" "+call.Path)+"` | ") {
			t.Errorf("docs/reference/practice-lab.md has no row for %s %s", call.Method, call.Path)
		}
	}
	for _, ability := range yubikey.Abilities() {
		if !strings.Contains(string(raw), "\n| "+ability.String()+" | ") {
			t.Errorf("docs/reference/practice-lab.md has no row for %s", ability)
		}
	}
}

// TestEveryControlCallAnswers: none of the listed calls is unknown to the
// server, and what is shown as a body is understood.
func TestEveryControlCallAnswers(t *testing.T) {
	l := start(t, Options{})
	names := strings.NewReplacer("{n}", "0", "{email}", "ada@lab.example")
	for _, call := range ControlCalls() {
		url := l.ControlURL() + names.Replace(call.Path)
		var code int
		var answer string
		if call.Method == "GET" {
			var body []byte
			code, body = get(t, url)
			answer = string(body)
		} else {
			code, answer = post(t, url, call.Body)
		}
		// The body with a chain is cut short.
		if want := map[bool]int{true: 400, false: 200}[strings.Contains(call.Body, "…")]; code != want {
			t.Errorf("%s %s: %d %s", call.Method, call.Path, code, answer)
		}
	}
	if code, answer := get(t, l.ControlURL()); code != 200 || !strings.Contains(string(answer), `"path":"readers/{n}/insert"`) {
		t.Errorf("the list: %d %s", code, answer)
	}
}

// TestFaultFormsAreUnderstood: the examples can be used as they are.
func TestFaultFormsAreUnderstood(t *testing.T) {
	l := start(t, Options{NoCard: true})
	for _, form := range fault.Forms() {
		if err := l.SetFaults(form.Spec); err != nil {
			t.Error(err)
		}
	}
	if !slices.ContainsFunc(fault.Forms(), func(f fault.Form) bool { return f.Spec == "off" }) {
		t.Error("nothing ends faults")
	}
}
