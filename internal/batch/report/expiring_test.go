package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

var expiry = report.Expiry{Made: time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC), Before: time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC)}

// ends yields n certificates that end, the first of them yesterday.
func ends(n int) iter.Seq2[report.Expiring, error] {
	return func(yield func(report.Expiring, error) bool) {
		for i := range n {
			row := report.Expiring{From: report.FromLedger, Expiring: ledger.Expiring{Email: fmt.Sprintf("user%d@example.com", i), Serial: uint32(i), Slot: "9d",
				Pair: ledger.Pair{Use: "both", LeafSHA256: strings.Repeat("ab", 32), KeyPairID: fmt.Sprint("pair", i), NotAfter: expiry.Made.Add(time.Duration(i%60-1) * 24 * time.Hour)}}}
			row.Days = expiry.DaysLeft(row.NotAfter)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// hostile is one certificate whose texts try to be more than texts.
func hostile(yield func(report.Expiring, error) bool) {
	yield(report.Expiring{Expiring: ledger.Expiring{Email: "=cmd()@example.com", Pair: ledger.Pair{KeyPairID: "</script><img src=x>"}}, Problem: "a\x1b[31m \u202e<b>"}, nil)
}

// written writes a report.
func written(t *testing.T, format report.Format, rows iter.Seq2[report.Expiring, error]) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteExpiring(t.Context(), &out, format, expiry, rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestExpiringCSV(t *testing.T) {
	lines, err := csv.NewReader(strings.NewReader(written(t, report.CSV, ends(3)))).ReadAll()
	if err != nil || len(lines) != 4 {
		t.Fatal(lines, err)
	}
	if want := "user0@example.com 2026-12-31T12:00:00Z -1 both"; strings.Join(lines[1][:4], " ") != want {
		t.Errorf("%q", lines[1])
	}
	if lines[3][2] != "1" || lines[3][6] != "2" || lines[1][6] != "" || lines[3][8] != "ledger" {
		t.Errorf("%q", lines)
	}
	if text := written(t, report.CSV, hostile); !strings.Contains(text, "'=cmd()") || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("%q", text)
	}
}

func TestExpiringJSON(t *testing.T) {
	var read struct {
		Made, Before time.Time
		Certificates []report.Expiring
	}
	if err := json.Unmarshal([]byte(written(t, report.JSON, ends(3))), &read); err != nil || len(read.Certificates) != 3 || !read.Made.Equal(expiry.Made) || !read.Before.Equal(expiry.Before) {
		t.Fatalf("%+v %v", read, err)
	}
	if row := read.Certificates[0]; row.Email != "user0@example.com" || row.KeyPairID != "pair0" || row.Days != -1 {
		t.Errorf("%+v", row)
	}
	if err := json.Unmarshal([]byte(written(t, report.JSON, ends(0))), &read); err != nil || len(read.Certificates) != 0 {
		t.Errorf("%+v %v", read, err)
	}
}

func TestExpiringHTML(t *testing.T) {
	page := written(t, report.HTML, ends(3))
	for _, want := range []string{"Certificates that end before 2 March 2027", "<th scope=\"row\">user2@example.com</th><td>2 January 2027</td><td class=\"number\">1</td>", "2, slot 9d", "3 certificates.", "default-src "} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in %s", want, page)
		}
	}
	if page := written(t, report.HTML, hostile); strings.Contains(page, "<img") || strings.Contains(page, "<b>") || strings.ContainsAny(page, "\x1b\u202e") || !strings.Contains(page, "1 certificate.") {
		t.Error(page)
	}
}

// TestExpiringOfMany: memory does not grow with the number of certificates, and an error
// in the middle is told.
func TestExpiringOfMany(t *testing.T) {
	for _, format := range report.Formats {
		var before, after runtime.MemStats
		var peak uint64
		runtime.GC()
		runtime.ReadMemStats(&before)
		watched := func(yield func(report.Expiring, error) bool) {
			n := 0
			for row, err := range ends(10_000) {
				if n++; n%1000 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&after)
					peak = max(peak, after.HeapAlloc)
				}
				if !yield(row, err) {
					return
				}
			}
		}
		if err := report.WriteExpiring(t.Context(), io.Discard, format, expiry, watched); err != nil {
			t.Error(err)
		}
		if grown := int64(peak) - int64(before.HeapAlloc); grown > 1<<20 {
			t.Errorf("%s: %d bytes more on the heap", format, grown)
		}
		broken := errors.New("the ledger went away")
		err := report.WriteExpiring(t.Context(), io.Discard, format, expiry, func(yield func(report.Expiring, error) bool) {
			yield(report.Expiring{}, broken)
		})
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}
