package report_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

var picture = flag.String("picture", "", "write the picture of a report that the documentation shows to this file")

// openReport writes the HTML report of a run and loads it.
func openReport(t *testing.T, b *browser, reader report.Reader, run ledger.Run) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Write(t.Context(), file, report.HTML, reader, run); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(path)
}

const (
	rowsShown = `document.querySelectorAll("#rows tr").length`
	firstRow  = `document.querySelector("#rows tr th").textContent`
	status    = `document.getElementById("shown").textContent`
)

// is compares what an expression gives in the page.
func (b *browser) is(expression string, want any) {
	b.t.Helper()
	if got := fmt.Sprint(b.eval(expression)); got != fmt.Sprint(want) {
		b.t.Errorf("%s is %q, want %q", expression, got, fmt.Sprint(want))
	}
}

// choose sets a form field as a person would.
func (b *browser) choose(id, value, event string) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`{ const field = document.getElementById(%q); field.value = %q; field.dispatchEvent(new Event(%q)); }`, id, value, event))
}

func TestTableInABrowser(t *testing.T) {
	b := startBrowser(t)
	openReport(t, b, practice(10_000), finishedRun())

	// It begins with the failures.
	b.is(status, "181 of 10,000 users")
	b.is(rowsShown, 181)
	b.is(firstRow, "user00097@example.com")
	b.is(`document.querySelector("#rows .hint").textContent`, failures[0].group.Hint)

	b.choose("find", "user000 CSE", "input")
	b.until(status + ` === "1 of 10,000 users"`)
	b.choose("find", "nobody at all", "input")
	b.until(rowsShown + ` === 0`)
	b.choose("find", "", "input")
	b.until(rowsShown + ` === 181`)

	// A button beside a reason shows its users.
	b.eval(`document.querySelectorAll("button.show")[2].click()`)
	b.is(rowsShown, 25)
	b.is(`document.getElementById("reason").selectedOptions[0].textContent`, "no-user")

	// All users: a piece at a time, sorted by a click.
	b.choose("outcome", "", "change")
	b.is(status, "200 of 10,000 matching users shown, of 10,000")
	b.is(firstRow, "user00001@example.com")
	b.eval(`document.querySelector("#table thead button").click(); document.querySelector("#table thead button").click()`)
	b.is(firstRow, "user10000@example.com")
	b.is(`document.querySelector("#table th[aria-sort]").getAttribute("aria-sort")`, "descending")
	b.eval(`document.getElementById("more").click()`)
	b.is(rowsShown, 1200)
	b.choose("outcome", "1", "change")
	b.is(status, "200 of 245 matching users shown, of 10,000")

	b.atPeace(1)
}

// atPeace checks that nothing was asked for but the pages themselves, and that
// the browser had nothing to complain of.
func (b *browser) atPeace(pages int) {
	b.t.Helper()
	urls, complaints := b.requests()
	for _, url := range urls {
		if !strings.HasPrefix(url, "file:///") || !strings.HasSuffix(url, "/report.html") {
			b.t.Errorf("the page asked for %s", url)
		}
	}
	if len(urls) != pages {
		b.t.Errorf("%d requests, want %d", len(urls), pages)
	}
	for _, complaint := range complaints {
		b.t.Errorf("the browser complains: %s", complaint)
	}
}

func TestTextFromOutsideStaysTextInABrowser(t *testing.T) {
	b := startBrowser(t)
	openReport(t, b, nasty(), finishedRun())
	b.is(rowsShown, 3)
	b.is(firstRow, "=cmd|'/c calc'!A1@example.com")
	b.is(`document.querySelectorAll("img").length`, 0)
	b.is(`document.scripts.length`, 2)
	b.is(`document.title`, "Batch registration: /srv/export/people.csv")
	// Were something to get in all the same, the policy keeps it from acting.
	b.eval(`{ const s = document.createElement("script"); s.textContent = "document.title = 'owned'"; document.body.append(s); }`)
	b.eval(`fetch("https://evil.example/").catch(() => {})`)
	b.is(`document.title`, "Batch registration: /srv/export/people.csv")
	urls, complaints := b.requests()
	if len(urls) != 1 {
		t.Errorf("requests: %q", urls)
	}
	if !strings.Contains(strings.Join(complaints, ""), "Content Security Policy") {
		t.Errorf("the policy did not act: %q", complaints)
	}
}

func TestAHundredThousandUsersInABrowser(t *testing.T) {
	b := startBrowser(t)
	openReport(t, b, practice(100_100), finishedRun())
	b.choose("outcome", "", "change")
	b.is(status, "200 of 100,000 matching users shown, of 100,000")
	b.is(`document.querySelector(".warning").textContent.startsWith("This page holds 100,000 of 100,100 users")`, true)
	b.choose("outcome", "2", "change")
	b.is(status, "200 of 1,821 matching users shown, of 100,000")
	b.choose("find", "user100099", "input")
	b.until(`!` + status + `.includes("1,821")`)
	b.atPeace(1)
}

func TestOtherRunsInABrowser(t *testing.T) {
	b := startBrowser(t)
	dry := finishedRun()
	dry.DryRun = true
	waiting := practice(300)
	waiting.change = func(_ int, entry *ledger.Entry) {
		if entry.State == ledger.StateDone {
			entry.State, entry.Earlier = ledger.StateWaiting, false
		}
	}
	openReport(t, b, waiting, dry)
	b.is(`document.querySelector(".lead").textContent`, "296 of 300 users would be registered; 4 cannot be. Nothing was asked of Gmail, nothing was changed.")
	b.is(`document.querySelectorAll("svg.progress").length`, 0)

	waiting.change = func(i int, entry *ledger.Entry) {
		if entry.State == ledger.StateDone {
			entry.State, entry.Earlier, entry.TakenOver = ledger.StateWaiting, false, i%2 == 0
		}
	}
	old := finishedRun()
	old.Partial = true
	openReport(t, b, waiting, old)
	b.is(`document.querySelector(".lead").textContent`, "0 of 300 users are registered. 4 failed. 149 wait: run the same command again to go on. 147 waited until a later run took them over.")
	b.is(`document.querySelector("header .warning").textContent`, report.PartialText)
	b.is(`document.querySelector(".legend").textContent.replace(/\s+/g, " ").trim()`, "0 registered 0 % 0 registered before 0 % 4 failed 1.3 % 149 waiting 49.7 % 147 in a later run 49 %")
	b.is(`document.querySelector("#outcome").textContent`, "allfailedwaitingin a later run")

	openReport(t, b, practice(0), ledger.Run{ID: 1, Source: "empty"})
	b.is(`document.querySelector(".lead").textContent`, "0 of 0 users are registered.")
	b.is(status, "0 of 0 users")
	b.atPeace(3)
}

// TestPictures sees that the page fills a screen and prints, and makes the
// documentation's picture where that is asked for.
func TestPictures(t *testing.T) {
	b := startBrowser(t)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1180, "height": 1560, "deviceScaleFactor": 1, "mobile": false})
	openReport(t, b, practice(10_000), finishedRun())
	b.is(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`, true)
	light := b.screenshot(t)
	if *picture != "" {
		if err := os.WriteFile(*picture, light, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	paper := b.eval(`getComputedStyle(document.body).backgroundColor`)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}})
	if dark := b.eval(`getComputedStyle(document.body).backgroundColor`); dark == paper {
		t.Errorf("dark and light are both %v", dark)
	}
	if dir := os.Getenv("REPORT_PICTURES"); dir != "" {
		keep(t, filepath.Join(dir, "light.png"), light)
		keep(t, filepath.Join(dir, "dark.png"), b.screenshot(t))
	}
	pdf, err := base64.StdEncoding.DecodeString(field(t, b.call("Page.printToPDF", map[string]any{"printBackground": false}), "data"))
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF-") {
		t.Errorf("printing: %v, %.20q", err, pdf)
	}
	if dir := os.Getenv("REPORT_PICTURES"); dir != "" {
		keep(t, filepath.Join(dir, "print.pdf"), pdf)
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"})
	b.is(`[...document.querySelectorAll("button.show, #find, #more")].filter((control) => control.offsetParent).length`, 0)
	if dir := os.Getenv("REPORT_PICTURES"); dir != "" {
		keep(t, filepath.Join(dir, "print.png"), b.screenshot(t))
	}
	// A narrow screen scrolls tables, not the page.
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "screen"})
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": true})
	b.until(`document.documentElement.scrollWidth <= 390`)
}

func (b *browser) screenshot(t *testing.T) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(field(t, b.call("Page.captureScreenshot", map[string]any{"format": "png"}), "data"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keep(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
