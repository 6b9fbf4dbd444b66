package report

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

//go:embed page.html page.css page.js
var page embed.FS

// progressPoints is how fine the chart of progress is.
const progressPoints = 120

// view is what the page's template shows.
type view struct {
	Run      ledger.Run
	Counts   ledger.Counts
	Groups   []ledger.Group
	Outcomes outcomeChart
	// Superfluous is how many users have superfluous key pairs, SuperfluousText what
	// is to be done about them.
	Superfluous     int
	SuperfluousText string
	// Progress is for wide screens and for narrow ones; there is none where the run
	// brought nobody to an end.
	Progress []*progressChart
	Sums     Summary
	// Rows is how many users the page's table holds; the CSV has all.
	Rows int
	// Partial says what is missing, "" for nothing.
	Partial string
	Policy  string // of Content-Security-Policy
	Style   template.CSS
}

// writeHTML writes one page that needs nothing else: the summary and the charts
// by a template, the table's rows as JSON that the page's script shows.
func writeHTML(ctx context.Context, out io.Writer, reader Reader, run ledger.Run) error {
	reader, run = cleaned{reader}, cleanRun(run)
	counts, groups, err := summary(ctx, reader, run)
	if err != nil {
		return err
	}
	points, err := reader.Progress(ctx, run.ID, progressPoints)
	if err != nil {
		return err
	}
	superfluous, _, err := reader.Superfluous(ctx, run.ID)
	if err != nil {
		return err
	}
	sums, err := Summarise(ctx, reader, run)
	if err != nil {
		return err
	}
	style, script, err := assets()
	if err != nil {
		return err
	}
	rows := newRows(counts, groups)
	head, err := template.New("page.html").Funcs(template.FuncMap{
		"number": format.Number, "when": when, "date": date, "took": took, "class": ClassText, "words": func() words { return wordsOf(run) },
	}).ParseFS(page, "page.html")
	if err != nil {
		return err
	}
	if err := head.Execute(out, view{
		Run: run, Counts: counts, Groups: groups, Outcomes: drawOutcomes(counts, wordsOf(run)), Progress: drawProgress(run, points),
		Sums:        sums,
		Superfluous: superfluous, SuperfluousText: SuperfluousText,
		Partial: partial(run),
		Rows:    min(counts.Total, rows.most),
		Policy:  "default-src 'none'; style-src " + source(style) + "; script-src " + source(script) + "; base-uri 'none'; form-action 'none'",
		Style:   template.CSS(style),
	}); err != nil {
		return err
	}
	stream := &jsonStream{out: out, inHTML: true}
	stream.text("<script type=\"application/json\" id=\"data\">")
	if err := rows.write(ctx, stream, reader, run); err != nil {
		return err
	}
	// The script is written as it is, so that it has the hash of the policy.
	stream.text("</script>\n<script>" + script + "</script>\n</body>\n</html>\n")
	return stream.err
}

func assets() (style, script string, err error) {
	css, err := page.ReadFile("page.css")
	if err != nil {
		return "", "", err
	}
	js, err := page.ReadFile("page.js")
	return string(css), string(js), err
}

// source is an inline element's name in a content security policy (CSP Level 3,
// hash-source).
func source(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// AgainText says of users who wait that an earlier run registered them.
const AgainText = "registered by an earlier run, and not looked at again yet"

// words are how outcomes are called: a dry run does nothing, it would.
type words struct {
	Title, Done, Earlier, Failed, Waiting, TakenOver, Again string
}

func wordsOf(run ledger.Run) words {
	if run.DryRun {
		return words{"Dry run", "registered", "registered before", "cannot be used", "would be registered", "in a later run", AgainText}
	}
	return words{"Batch registration", "registered", "registered before", "failed", "waiting", "in a later run", AgainText}
}

// ClassText says what helps against failures of a class.
func ClassText(class ledger.Class) string {
	switch class {
	case ledger.ClassRow:
		return "change the row or its certificates"
	case ledger.ClassFinal:
		return "this user cannot be registered as things are"
	case ledger.ClassLater:
		return "the same command later may succeed"
	case ledger.ClassAdministrator:
		return "an administrator must switch on or allow something first"
	}
	return string(class)
}

func partial(run ledger.Run) string {
	if run.Partial {
		return PartialText
	}
	return ""
}

func when(t time.Time) string {
	if t.IsZero() {
		return "not yet"
	}
	return t.UTC().Format("2 January 2006, 15:04:05 UTC")
}

func date(t time.Time) string { return t.UTC().Format("2 January 2006") }

func took(run ledger.Run) string {
	if run.Finished.IsZero() {
		return ""
	}
	return run.Finished.Sub(run.Started).Round(time.Second).String()
}
