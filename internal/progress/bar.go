// Package progress shows how far long work is, on a terminal or line by line.
package progress

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// How often progress is shown: on a terminal, and where there is none.
const (
	barInterval  = 100 * time.Millisecond
	lineInterval = 5 * time.Second
)

// Tally is how far work on many things is.
type Tally struct {
	Total        int // 0 where that is not known
	Done, Failed int
	// Reading says that there may be more than Total: they are still being read.
	Reading bool
	// Stalled is shown in the place of how fast it goes: why it does not.
	Stalled string
}

// Bar shows how far work on many things is: what is done, failed and left, how
// fast it goes and how long it will take. On a terminal it is one line that
// changes, elsewhere a new line every few seconds. It is safe for concurrent use.
type Bar struct {
	out   io.Writer
	width func() int

	mu       sync.Mutex
	tally    Tally
	meter    Meter
	shown    time.Time
	drawn    int // columns that the bar takes on the terminal now
	finished bool
}

// NewBar shows progress on out. width is the terminal's, in columns; nil means
// that out is no terminal that can draw.
func NewBar(out io.Writer, width func() int) *Bar {
	return &Bar{out: out, width: width}
}

// Show takes in how far the work is.
func (b *Bar) Show(tally Tally) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.finished {
		return
	}
	if tally.Reading != b.tally.Reading {
		b.meter = Meter{} // reading is faster than working
	}
	now := time.Now()
	b.tally = tally
	counted := tally.Done + tally.Failed
	if tally.Reading {
		counted = tally.Total
	}
	b.meter.Add(now, counted)
	interval := lineInterval
	if b.width != nil {
		interval = barInterval
	}
	if b.shown.IsZero() && b.width == nil {
		b.shown = now // nothing is known yet
	}
	if now.Sub(b.shown) >= interval {
		b.shown = now
		b.draw()
	}
}

// Note writes a line of its own, above the bar.
func (b *Bar) Note(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	fmt.Fprintln(b.out, safetext.Clean(line))
	if b.width != nil && !b.finished && !b.shown.IsZero() {
		b.draw()
	}
}

// Close shows the last state and ends the bar's line. It may be called twice.
func (b *Bar) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.finished {
		return
	}
	b.finished = true
	if b.tally == (Tally{}) {
		b.erase()
		return
	}
	b.draw()
	if b.drawn > 0 {
		fmt.Fprintln(b.out)
		b.drawn = 0
	}
}

func (b *Bar) draw() {
	if b.width == nil {
		fmt.Fprintf(b.out, "cse-piv: %s\n", b.line())
		return
	}
	// The last column stays empty: some terminals wrap when it is written.
	room := max(b.width()-1, 20)
	text := b.line()
	if !b.tally.Reading && b.tally.Total > 0 {
		if rest := room - utf8.RuneCountInString(text) - 3; rest >= 10 {
			text = "[" + gauge(b.tally, min(rest, 40)) + "] " + text
		}
	}
	if runes := []rune(text); len(runes) > room {
		text = string(runes[:room])
	}
	length := utf8.RuneCountInString(text)
	fmt.Fprintf(b.out, "\r%s%s", text, strings.Repeat(" ", max(0, b.drawn-length)))
	b.drawn = length
}

// erase takes the bar off the terminal, with blanks, which every terminal knows.
func (b *Bar) erase() {
	if b.drawn > 0 {
		fmt.Fprintf(b.out, "\r%s\r", strings.Repeat(" ", b.drawn))
		b.drawn = 0
	}
}

func (b *Bar) line() string {
	t := b.tally
	if t.Reading {
		return fmt.Sprintf("reading the source: %s users%s", format.Number(t.Total), failedSoFar(t.Failed))
	}
	if t.Total == 0 {
		line := fmt.Sprintf("%s done, %s failed", format.Number(t.Done), format.Number(t.Failed))
		if t.Stalled != "" {
			return line + ", " + t.Stalled
		}
		if rate := b.meter.Rate(); rate > 0 {
			line += fmt.Sprintf(", %s/s", rateText(rate))
		}
		return line
	}
	left := t.Total - t.Done - t.Failed
	line := fmt.Sprintf("%s done, %s failed, %s left", format.Number(t.Done), format.Number(t.Failed), format.Number(left))
	if t.Stalled != "" {
		return line + ", " + t.Stalled
	}
	if rate := b.meter.Rate(); rate > 0 && left > 0 {
		line += fmt.Sprintf(", %s/s, %s to go", rateText(rate), format.Duration(b.meter.Left(left)))
	}
	return line
}

func failedSoFar(n int) string {
	if n == 0 {
		return ""
	}
	return ", " + format.Number(n) + " cannot be used"
}

// gauge is done as "=", failed as "x", the rest blank.
func gauge(t Tally, width int) string {
	failed := width * t.Failed / t.Total
	if t.Failed > 0 && failed == 0 {
		failed = 1
	}
	done := min(width*(t.Done+t.Failed)/t.Total, width) - failed
	done = max(done, 0)
	return strings.Repeat("=", done) + strings.Repeat("x", failed) + strings.Repeat(" ", max(0, width-done-failed))
}

func rateText(rate float64) string {
	if rate < 10 {
		return strconv.FormatFloat(rate, 'f', 1, 64)
	}
	return format.Number(int(rate + 0.5))
}
