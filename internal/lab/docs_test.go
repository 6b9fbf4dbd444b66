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

// TestDocumentedTables: the tables of docs/lab.md are those of the code.
func TestDocumentedTables(t *testing.T) {
	raw, err := os.ReadFile("../../docs/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]string{
		"faults": faultTable(), "answers of a hostile server": bodyTable(), "lies of a card": lieTable(), "control calls": callTable(), "firmware": firmwareTable(),
	} {
		if !strings.Contains(string(raw), "\n\n"+table) {
			t.Errorf("docs/lab.md has another table of %s than:\n%s", name, table)
		}
	}
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func quote(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func faultTable() string {
	table := row("specification", "what happens") + "|---|---|\n"
	for _, form := range fault.Forms() {
		table += row(quote(form.Spec), form.About)
	}
	return table
}

func bodyTable() string {
	table := row("answer", "what it is") + "|---|---|\n"
	for _, body := range workspace.Bodies() {
		table += row(quote(body.Name), body.About)
	}
	return table
}

func lieTable() string {
	table := row("lie", "what the card says") + "|---|---|\n"
	for _, lie := range yubikey.Lies() {
		table += row(quote(lie.Name), lie.About)
	}
	return table
}

func callTable() string {
	table := row("call", "body", "what it does") + "|---|---|---|\n"
	for _, call := range ControlCalls() {
		table += row(quote(strings.TrimSpace(call.Method+" "+call.Path)), quote(call.Body), call.About)
	}
	return table
}

func firmwareTable() string {
	head, line := []string{""}, "|---|"
	for _, v := range yubikey.Profiles() {
		head, line = append(head, v.String()), line+"---|"
	}
	table := row(head...) + line + "\n"
	for _, ability := range yubikey.Abilities() {
		cells := []string{ability.String()}
		for _, v := range yubikey.Profiles() {
			cells = append(cells, map[bool]string{true: "yes", false: ""}[ability.Of(v)])
		}
		table += row(cells...)
	}
	return table
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
