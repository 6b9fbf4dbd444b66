package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/glossary"
	"github.com/cse-piv/cse-piv/internal/metrics"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// referencePages are the pages of docs/reference. All of them are made from the program.
var referencePages = map[string]func(*testing.T) string{
	"certificate-rules.md": certificateRulesPage,
	"commands.md":          commandsPage,
	"exit-codes.md":        exitCodesPage,
	"failure-reasons.md":   failureReasonsPage,
	"glossary.md":          glossaryPage,
	"json.md":              jsonPage,
	"metrics.md":           metricsPage,
	"practice-lab.md":      practiceLabPage,
	"settings.md":          settingsPage,
}

const referenceFolder = "../../docs/reference"

// TestReference: the pages of docs/reference say what the program says, and there are
// no others. With -update it writes them anew.
func TestReference(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(referenceFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if referencePages[filepath.Base(file)] == nil {
			t.Errorf("%s is not made from the program", file)
		}
	}
	for name, page := range referencePages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(referenceFolder, name)
			want := "<!-- Made by: go test ./internal/cli -run TestReference -update -->\n" + page(t)
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
				t.Errorf("%s is stale: go test ./internal/cli -run TestReference -update", path)
			}
		})
	}
}

// markdown is a table in Markdown; the first row is its head.
func markdown(rows ...[]string) string {
	var text strings.Builder
	for i, row := range rows {
		for _, cell := range row {
			text.WriteString("| " + strings.ReplaceAll(cell, "|", "\\|") + " ")
		}
		text.WriteString("|\n")
		if i == 0 {
			text.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return text.String()
}

// quoted is a text as code; "" stays so.
func quoted(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func glossaryPage(*testing.T) string {
	rows := [][]string{{"term", "meaning"}}
	for _, term := range glossary.Terms() {
		rows = append(rows, []string{term.Name, term.Meaning})
	}
	return "# Glossary\n\nWhat the words of screens, messages, documentation and source mean.\n\n" + markdown(rows...)
}

func metricsPage(*testing.T) string {
	rows := [][]string{{"name", "type", "labels", "meaning"}}
	for _, f := range metrics.Families() {
		var labels []string
		for _, label := range f.Labels {
			labels = append(labels, quoted(label))
		}
		rows = append(rows, []string{quoted(f.Name), string(f.Type), strings.Join(labels, ", "), f.Help})
	}
	return `# Metrics

What ` + "`cse-piv worker --metrics HOST:PORT`" + ` and ` + "`cse-piv batch … --metrics HOST:PORT`" + ` serve at ` + "`/metrics`" + `, for one process and since
its start. How to use them: [watching workers](../how-to/watching-workers.md). A kind of error is a word such as
` + "`rate-limited`" + `, ` + "`unavailable`" + ` or ` + "`scope`" + `, by which users fail as well ([failure reasons](failure-reasons.md)); ` + "`not-found`" + ` is an
answer that a run goes on with. There is nothing in labels that names a user, a card or a certificate. What the Go
runtime (` + "`go_`" + `) and the process (` + "`process_`" + `) say about themselves is served as well.

` + markdown(rows...)
}

func failureReasonsPage(*testing.T) string {
	rows := [][]string{{"class", "reason", "meaning", "what helps"}}
	for _, reason := range batch.Reasons() {
		rows = append(rows, []string{quoted(string(reason.Class)), quoted(reason.Name), reason.Meaning, hint.OfReason(reason.Name)})
	}
	return `# Why a user of a batch fails

A failure has one of these reasons, in reports and in JSON, and each reason belongs to a class: ` + "`row`" + ` (correct the
source), ` + "`administrator`" + ` (correct the domain), ` + "`final`" + ` (correct the user) and ` + "`later`" + ` (run the same command again).
` + "`--retry REASON`" + ` takes the users who failed for one of them.

` + markdown(rows...)
}

func certificateRulesPage(*testing.T) string {
	rows := [][]string{{"rule", "severity", "profile", "what it asks for", "why it matters", "what to ask for", "source"}}
	for _, rule := range baseline.All() {
		profile := "both"
		if rule.Profile != "" {
			profile = string(rule.Profile)
		}
		rows = append(rows, []string{quoted(rule.ID), string(rule.Severity), profile, rule.Title, rule.Why, rule.Ask, rule.Source})
	}
	return `# Rules for certificates

What is looked at in a chain before Gmail gets it. An *error* is something that Gmail cannot take: the enrollment stops, the
batch's user fails. A *warning* breaks Google's published profile for publicly trusted roots, which a domain that trusts a
root of its own, with a relaxed validation profile, may be allowed. A *note* is good to know.

The rules of the profile ` + "`public`" + ` hold for the roots that Google trusts itself. For a root of its own an administrator can lift
them in the Admin console, with a relaxed validation profile; ` + "`chain-relaxed-profile`" + ` says where that is needed, and for which rules.

The rules that begin with ` + "`smbr-`" + ` are those of the CA/Browser Forum's Baseline Requirements for S/MIME certificates (version
1.0.16, SMBR). They are advice, and not for a root of your own (` + "`--profile private`" + `). ` + "`cse-piv cert check`" + ` gives it for every certificate;
an enrollment counts it, and a batch does once for each authority, where a policy of the certificate is one of the baseline's.

` + markdown(rows...)
}
