package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// warned are 30 users: every third is warned twice of one rule and once of another,
// and the certificates of five end soon after the run, of one of them as history only.
func warned() fake {
	f := practice(30)
	f.change = func(i int, entry *ledger.Entry) {
		entry.State, entry.Warnings = ledger.StateDone, nil
		entry.Pairs = []ledger.Pair{{Use: "both", NotAfter: finishedRun().Started.AddDate(1, 0, 0)}}
		if i%3 == 0 {
			entry.Warnings = []string{"its CRL cannot be reached (leaf-crl-public)", "another CRL cannot be reached (leaf-crl-public)", "it has no policy (leaf-policies)"}
		}
		switch {
		case i == 7:
			entry.Warnings = []string{"the address is there again, with the same certificates: line 9"}
		case i < 4:
			entry.Pairs[0].NotAfter = finishedRun().Started.AddDate(0, 0, 80-i)
		case i == 4:
			entry.Pairs = append(entry.Pairs, ledger.Pair{Use: certificate.UseHistory, NotAfter: finishedRun().Started.AddDate(-1, 0, 0)})
		case i == 5:
			entry.State, entry.Pairs[0].NotAfter = ledger.StateFailed, finishedRun().Started
		}
	}
	return f
}

// TestSummary: warnings by rule, each user once, and when certificates end.
func TestSummary(t *testing.T) {
	sums, err := report.Summarise(t.Context(), warned(), finishedRun())
	want := report.Summary{Expiring: 4, FirstEnd: finishedRun().Started.AddDate(0, 0, 77), Warnings: []report.WarningGroup{
		{Rule: "leaf-crl-public", Count: 10, Example: "user00001@example.com", Message: "its CRL cannot be reached (leaf-crl-public)"},
		{Rule: "leaf-policies", Count: 10, Example: "user00001@example.com", Message: "it has no policy (leaf-policies)"},
		{Rule: "other", Count: 1, Example: "user00008@example.com", Message: "the address is there again, with the same certificates: line 9"},
	}}
	if diff := cmp.Diff(want, sums); err != nil || diff != "" {
		t.Error(err, diff)
	}
	var back struct {
		Warnings []report.WarningGroup `json:"warnings"`
		Expiring int                   `json:"expiring_users"`
		FirstEnd time.Time             `json:"first_end"`
	}
	if err := json.Unmarshal([]byte(write(t, report.JSON, warned(), finishedRun())), &back); err != nil || back.Expiring != 4 || !back.FirstEnd.Equal(want.FirstEnd) || len(back.Warnings) != 3 {
		t.Errorf("%+v %v", back, err)
	}
	page := write(t, report.HTML, warned(), finishedRun())
	for _, text := range []string{"<code>leaf-crl-public</code>", "The first certificate ends on 6 February 2027; those of 4 users end within 90 days of the run."} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// TestOnAPhone: the page fits, and its chart is drawn so that it can be read.
func TestOnAPhone(t *testing.T) {
	b := startBrowser(t)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true})
	openReport(t, b, practice(1000), finishedRun())
	b.is(`document.documentElement.scrollWidth <= 360`, true)
	b.is(`getComputedStyle(document.querySelector("svg.wide")).display`, "none")
	const letters = `Math.min(...[...document.querySelectorAll("svg.narrow text")].map(text => text.getBoundingClientRect().height))`
	b.is(letters+` >= 11`, true)
	b.is(`[...document.querySelectorAll("svg.narrow text")].every(text => text.getBoundingClientRect().right <= 360 && text.getBoundingClientRect().left >= 0)`, true)
	const apart = `(() => { const times = [...document.querySelectorAll("svg.narrow text.axis[text-anchor]:not([dx])")].map(text => text.getBoundingClientRect());
		return times.length === 2 && times[0].right + 4 < times[1].left })()`
	b.is(apart, true)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1180, "height": 900, "deviceScaleFactor": 1, "mobile": false})
	b.is(`getComputedStyle(document.querySelector("svg.narrow")).display`, "none")
	b.atPeace(1)
}
