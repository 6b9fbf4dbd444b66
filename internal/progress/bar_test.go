package progress_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/progress"
)

// screen shows what a terminal of one line would, and keeps the lines above.
func screen(text string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		var cells []rune
		at := 0
		for _, r := range line {
			if r == '\r' {
				at = 0
				continue
			}
			cells = append(cells[:at], append([]rune{r}, cells[min(at+1, len(cells)):]...)...)
			at++
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return lines
}

// work has ten things done a second, the 100th and its like fail.
func work(bar *progress.Bar, total, until int) {
	for n := 0; n <= until; n++ {
		bar.Show(progress.Tally{Total: total, Done: n - n/100, Failed: n / 100})
		time.Sleep(100 * time.Millisecond)
	}
}

func TestBarOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		bar := progress.NewBar(&out, func() int { return 100 })
		work(bar, 12_000, 600)
		want := "[=x                                      ] 594 done, 6 failed, 11,400 left, 10/s, 19 min to go"
		if got := screen(out.String()); len(got) != 1 || got[0] != want {
			t.Errorf("got\n%q, want\n%q", got, want)
		}
		bar.Note("something\x1b happened")
		bar.Show(progress.Tally{Total: 12_000, Done: 11_994, Failed: 6})
		bar.Close()
		bar.Close()
		got := screen(out.String())
		if len(got) != 3 || got[0] != "something? happened" || got[2] != "" ||
			got[1] != "[=======================================x] 11,994 done, 6 failed, 0 left" {
			t.Errorf("got %q", got)
		}
		for _, line := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if len(line) > 99 {
				t.Errorf("%d columns: %q", len(line), line)
			}
		}
	})
}

func TestBarOnANarrowTerminalIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		bar := progress.NewBar(&out, func() int { return 30 })
		work(bar, 12_000, 50)
		if got := screen(out.String()); len(got) != 1 || got[0] != "50 done, 0 failed, 11,950 lef" {
			t.Errorf("got %q", got)
		}
	})
}

func TestLinesWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		bar := progress.NewBar(&out, nil)
		bar.Show(progress.Tally{Total: 10, Reading: true})
		time.Sleep(6 * time.Second)
		bar.Show(progress.Tally{Total: 1000, Failed: 2, Reading: true})
		work(bar, 1000, 120)
		bar.Close()
		want := "cse-piv: reading the source: 1,000 users, 2 cannot be used\n" +
			"cse-piv: 50 done, 0 failed, 950 left, 10/s, 1 min 35 s to go\n" +
			"cse-piv: 99 done, 1 failed, 900 left, 10/s, 1 min 30 s to go\n" +
			"cse-piv: 119 done, 1 failed, 880 left, 10/s, 1 min 28 s to go\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	})
}

func TestBarWithoutATotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		bar := progress.NewBar(&out, nil)
		work(bar, 0, 120)
		bar.Close()
		want := "cse-piv: 50 done, 0 failed, 10/s\ncse-piv: 99 done, 1 failed, 10/s\ncse-piv: 119 done, 1 failed, 10/s\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	})
}

// TestRateFollows: what was long ago does not count, what is now does.
func TestRateFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		bar := progress.NewBar(&out, nil)
		for n := range 300 { // five minutes of a hundred a second
			bar.Show(progress.Tally{Total: 1_000_000, Done: n * 100})
			time.Sleep(time.Second)
		}
		for n := range 60 { // a minute of two a second
			bar.Show(progress.Tally{Total: 1_000_000, Done: 30_000 + 2*n})
			time.Sleep(time.Second)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if last := lines[len(lines)-1]; !strings.HasSuffix(last, ", 2.0/s, 134 h 42 min to go") {
			t.Errorf("got %q", last)
		}
		if calm := lines[len(lines)-10]; !strings.Contains(calm, "/s, ") || strings.Contains(calm, ", 2.0/s") {
			t.Errorf("the rate is not smoothed: %q", calm)
		}
	})
}
