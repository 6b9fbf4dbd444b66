package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t *testing.T, format report.Format, reader report.Reader, run ledger.Run) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(t.Context(), &out, format, reader, run); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// nasty has every text that comes from outside try to be something else.
func nasty() fake {
	const script = `</script><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>`
	f := practice(3)
	f.failure = func(i int) *ledger.Group {
		return &ledger.Group{Class: ledger.ClassFinal, Reason: "no-user", Message: `=HYPERLINK("http://evil.example/";"click")` + script, Hint: script}
	}
	f.change = func(i int, entry *ledger.Entry) {
		entry.Email = []string{"=cmd|'/c calc'!A1@example.com", "+1@example.com", "\t@example.com"}[i]
		entry.Where = script
		entry.Warnings = []string{"\r-2+3", script + "\u2028\u202e"}
	}
	return f
}

// TestNothingHiddenIsShown: no text that comes from outside has a report turn text
// around or steer a terminal; as JSON it stays what it was.
func TestNothingHiddenIsShown(t *testing.T) {
	const hidden = "a\x1b[2Jb\u202ec\u009bd\u2066e\x7f"
	f := practice(3)
	f.failure = func(int) *ledger.Group {
		return &ledger.Group{Class: ledger.ClassFinal, Reason: hidden, Message: hidden, Hint: hidden}
	}
	f.change = func(_ int, entry *ledger.Entry) {
		entry.Email, entry.Where, entry.Warnings = hidden+"@example.com", hidden, []string{hidden}
	}
	run := finishedRun()
	run.Source, run.Operator, run.Tool = hidden, hidden, hidden
	for _, format := range report.Formats {
		text := write(t, format, f, run)
		if found := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\r' && safetext.Hidden(r) }); found >= 0 {
			t.Errorf("%s: %q", format, text[max(0, found-60):found+10])
		}
		for _, escape := range []string{`\u001b`, `\u202e`, `\u009b`, `\u2066`, `\u007f`, `&#x1b;`, `&#8238;`} {
			if format == report.HTML && strings.Contains(text, escape) {
				t.Errorf("the page holds %s", escape)
			}
		}
		if format == report.JSON {
			var back struct{ Run ledger.Run }
			if err := json.Unmarshal([]byte(text), &back); err != nil || back.Run.Source != hidden {
				t.Errorf("%q, %v", back.Run.Source, err)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	for _, format := range report.Formats {
		got := write(t, format, practice(100), finishedRun())
		golden := filepath.Join("testdata", "report."+string(format)+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("the %s report is not %s; look at it with go test -update and git diff", format, golden)
		}
	}
}

func TestCSVHasALineForEachUser(t *testing.T) {
	text := write(t, report.CSV, practice(500), finishedRun())
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 501 || strings.Count(text, "\r\n") != 501 {
		t.Errorf("%d lines, %d of them end in CRLF", len(lines), strings.Count(text, "\r\n"))
	}
	if lines[97][0] != "user00097@example.com" || lines[97][1] != "failed" || lines[97][3] != "cse-off" || lines[97][12] != "people.csv line 98" {
		t.Errorf("got %q", lines[97])
	}
}

func TestNoCellOfTheCSVIsAFormula(t *testing.T) {
	text := write(t, report.CSV, nasty(), finishedRun())
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines[1:] {
		for column, cell := range line {
			// Some spreadsheets split at semicolons as well, and skip blanks.
			for _, piece := range strings.Split(cell, ";") {
				if piece = strings.TrimLeft(piece, ` "`); piece != "" && strings.ContainsAny(piece[:1], "=+-@\t\r") {
					t.Errorf("%s: %q begins a formula", lines[0][column], cell)
				}
			}
			if strings.ContainsAny(cell, "\t\r\n") {
				t.Errorf("%s: %q holds a control character", lines[0][column], cell)
			}
		}
	}
	if got := lines[1][0]; got != "'=cmd|'/c calc'!A1@example.com" {
		t.Errorf("got %q", got)
	}
}

func TestJSONIsOneObject(t *testing.T) {
	for name, f := range map[string]fake{"usual": practice(500), "nasty": nasty(), "nobody": practice(0)} {
		var got struct {
			Run    ledger.Run
			Counts ledger.Counts
			Groups []ledger.Group
			Users  []ledger.Entry
		}
		if err := json.Unmarshal([]byte(write(t, report.JSON, f, finishedRun())), &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Run.ID != 7 || len(got.Users) != f.users || got.Users == nil || got.Groups == nil || got.Counts.Total != f.users {
			t.Errorf("%s: %+v, %d users", name, got.Counts, len(got.Users))
		}
		for i, user := range got.Users {
			if want := f.entry(i); user.Email != want.Email || user.Message != want.Message {
				t.Errorf("%s: user %d is %q", name, i, user.Email)
			}
		}
	}
}

func TestHTMLHoldsTextAsText(t *testing.T) {
	text := write(t, report.HTML, nasty(), finishedRun())
	if n := strings.Count(text, "<script"); n != 2 {
		t.Errorf("%d script elements", n)
	}
	if strings.Contains(text, "<img") {
		t.Error("an element came in from outside")
	}
}

// TestLargeReportsStayFlat writes 100,000 users and watches the heap.
func TestLargeReportsStayFlat(t *testing.T) {
	const limit = 48 << 20
	f := cached{practice(100_000), ledger.Counts{Total: 100_000, Done: 98_000, Failed: 2_000}}
	for _, format := range report.Formats {
		watch := &heapWatch{}
		if err := report.Write(t.Context(), watch, format, f, finishedRun()); err != nil {
			t.Fatal(err)
		}
		if watch.written < 5<<20 || watch.most > limit {
			t.Errorf("%s: %d bytes written with up to %d MiB of heap", format, watch.written, watch.most>>20)
		}
	}
}

// cached spares the fake counting its users.
type cached struct {
	fake
	counts ledger.Counts
}

func (c cached) Counts(context.Context, int64) (ledger.Counts, error) { return c.counts, nil }
func (c cached) Groups(context.Context, int64) ([]ledger.Group, error) {
	return practice(1500).Groups(context.Background(), 7)
}
func (c cached) Progress(context.Context, int64, int) ([]ledger.Point, error) {
	return practice(1000).Progress(context.Background(), 7, 120)
}

// heapWatch throws away what is written and notes the largest live heap.
type heapWatch struct {
	written, next int
	most          uint64
}

func (w *heapWatch) Write(data []byte) (int, error) {
	if w.written += len(data); w.written >= w.next {
		w.next += 2 << 20
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		w.most = max(w.most, stats.HeapAlloc)
	}
	return len(data), nil
}

func TestErrorsOfTheLedgerAndTheDiskEndTheReport(t *testing.T) {
	broken := errors.New("broken")
	for _, format := range report.Formats {
		if err := report.Write(t.Context(), io.Discard, format, brokenLedger{practice(10), broken}, finishedRun()); !errors.Is(err, broken) {
			t.Errorf("%s of a broken ledger: %v", format, err)
		}
		if err := report.Write(t.Context(), brokenDisk{broken}, format, practice(10), finishedRun()); !errors.Is(err, broken) {
			t.Errorf("%s to a broken disk: %v", format, err)
		}
	}
}

type brokenLedger struct {
	fake
	err error
}

func (b brokenLedger) Entries(context.Context, int64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) { yield(ledger.Entry{}, b.err) }
}

type brokenDisk struct{ err error }

func (b brokenDisk) Write([]byte) (int, error) { return 0, b.err }

func TestFormatOf(t *testing.T) {
	for file, want := range map[string]report.Format{"a.csv": report.CSV, "b/c.JSON": report.JSON, "d.html": report.HTML, "e.htm": report.HTML, "f.txt": "", "csv": ""} {
		got, err := report.FormatOf(file)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}
