package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// The size of the charts, in the units of their drawings.
const (
	chartWidth   = 960
	narrowWidth  = 320 // a phone's
	chartHeight  = 240
	chartLeft    = 56 // room for the numbers of the vertical axis
	chartRight   = 104
	chartTop     = 12
	chartBottom  = 28
	smallestPart = 3 // so that one failure among 100,000 users is seen
)

// outcomeChart is one bar, divided by outcome.
type outcomeChart struct {
	Width int
	Parts []part
}

// part is one outcome: drawn from X on, Width wide.
type part struct {
	Class, Label string
	Count        int
	Percent      string
	X, Width     float64
}

func drawOutcomes(counts ledger.Counts, words words) outcomeChart {
	chart := outcomeChart{Width: chartWidth, Parts: []part{
		{Class: "done", Label: words.Done, Count: counts.Done - counts.Earlier},
		{Class: "earlier", Label: words.Earlier, Count: counts.Earlier},
		{Class: "failed", Label: words.Failed, Count: counts.Failed},
		{Class: "waiting", Label: words.Waiting, Count: counts.Waiting - counts.WaitingAgain},
	}}
	if counts.WaitingAgain > 0 {
		chart.Parts = append(chart.Parts, part{Class: "again", Label: words.Again, Count: counts.WaitingAgain})
	}
	if counts.TakenOver > 0 {
		chart.Parts = append(chart.Parts, part{Class: "taken", Label: words.TakenOver, Count: counts.TakenOver})
	}
	room, total := float64(chartWidth), 0
	for _, p := range chart.Parts {
		total += p.Count
		if p.Count > 0 {
			room -= smallestPart
		}
	}
	x := 0.0
	for i := range chart.Parts {
		p := &chart.Parts[i]
		p.Percent, p.X = percent(p.Count, total), rounded(x)
		if p.Count > 0 {
			p.Width = rounded(smallestPart + room*float64(p.Count)/float64(total))
		}
		x += p.Width
	}
	return chart
}

// percent never calls something nothing, or not quite all of it all.
func percent(count, total int) string {
	share := 100 * float64(count) / float64(max(total, 1))
	switch {
	case count == 0:
		return "0 %"
	case share < 0.1:
		return "< 0.1 %"
	case count < total && share > 99.9:
		return "> 99.9 %"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", share), ".0") + " %"
}

// progressChart shows how many users were done and failed at each moment.
type progressChart struct {
	Class                    string // "wide" or "narrow"
	Width, Height            int
	Left, Right, Top, Bottom float64 // edges of the plot
	DonePath, FailedPath     string
	DoneLabel, FailedLabel   label
	Across, Up               []tick
	Summary                  string
}

// label is text beside the end of a line.
type label struct {
	X, Y float64
	Text string
}

// tick is a mark on an axis.
type tick struct {
	At     float64
	Text   string
	Anchor string
}

// drawProgress draws it twice, in the same letters: for a screen, and for a phone.
func drawProgress(run ledger.Run, points []ledger.Point) []*progressChart {
	wide := drawOne(run, points, "wide", chartWidth)
	if wide == nil {
		return nil
	}
	return []*progressChart{wide, drawOne(run, points, "narrow", narrowWidth)}
}

func drawOne(run ledger.Run, points []ledger.Point, class string, width int) *progressChart {
	if run.DryRun || len(points) == 0 {
		return nil
	}
	start := run.Started
	if start.IsZero() || start.After(points[0].Time) {
		start = points[0].Time
	}
	last := points[len(points)-1]
	span := last.Time.Sub(start)
	if span <= 0 || last.Done+last.Failed == 0 {
		return nil
	}
	c := &progressChart{Class: class, Width: width, Height: chartHeight,
		Left: chartLeft, Right: float64(width - chartRight), Top: chartTop, Bottom: chartHeight - chartBottom}
	step := roundStep(max(last.Done, last.Failed))
	top := step * int(math.Ceil(float64(max(last.Done, last.Failed))/float64(step)))
	x := func(t time.Time) float64 { return c.Left + (c.Right-c.Left)*float64(t.Sub(start))/float64(span) }
	y := func(n int) float64 { return c.Bottom - (c.Bottom-c.Top)*float64(n)/float64(top) }
	first := points[0]
	done, failed := fmt.Sprintf("M%.1f %.1f", x(first.Time), y(first.Done)), fmt.Sprintf("M%.1f %.1f", x(first.Time), y(first.Failed))
	for _, p := range points[1:] {
		done += fmt.Sprintf("L%.1f %.1f", x(p.Time), y(p.Done))
		failed += fmt.Sprintf("L%.1f %.1f", x(p.Time), y(p.Failed))
	}
	c.DonePath, c.FailedPath = done, failed
	c.DoneLabel = label{c.Right + 8, rounded(y(last.Done)) + 4, format.Number(last.Done) + " done"}
	c.FailedLabel = label{c.Right + 8, rounded(y(last.Failed)) + 4, format.Number(last.Failed) + " failed"}
	keepApart(&c.DoneLabel, &c.FailedLabel)
	for n := 0; n <= top; n += step {
		c.Up = append(c.Up, tick{At: rounded(y(n)), Text: format.Number(n)})
	}
	layout := "15:04:05"
	if span > 24*time.Hour {
		layout = "2 Jan 15:04"
	}
	anchors := []string{"start", "middle", "end"}
	if width == narrowWidth { // there is no room between the two
		anchors = []string{"start", "end"}
	}
	for i, anchor := range anchors {
		at := start.Add(span * time.Duration(i) / time.Duration(len(anchors)-1))
		c.Across = append(c.Across, tick{At: rounded(x(at)), Text: at.UTC().Format(layout), Anchor: anchor})
	}
	c.Summary = fmt.Sprintf("From %s to %s: %s users done and %s failed.", when(start), when(last.Time), format.Number(last.Done), format.Number(last.Failed))
	return c
}

// rounded is as fine as a drawing needs it.
func rounded(x float64) float64 { return math.Round(x*10) / 10 }

// keepApart moves two labels that would be written over each other.
func keepApart(a, b *label) {
	const line = 15
	upper, lower := a, b
	if upper.Y > lower.Y {
		upper, lower = lower, upper
	}
	if gap := lower.Y - upper.Y; gap < line {
		upper.Y -= line - gap
	}
}

// roundStep is 1, 2 or 5 times a power of ten, so that four or five of it reach most.
func roundStep(most int) int {
	for power := 1; ; power *= 10 {
		for _, factor := range []int{1, 2, 5} {
			if step := power * factor; most <= 5*step {
				return step
			}
		}
	}
}
