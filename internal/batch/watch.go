package batch

import (
	"context"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

const (
	progressEvery = time.Second
	// stallTime is after how long without anybody coming to an end the queue is
	// filled from the entries again, in case jobs got lost.
	stallTime = time.Minute
	// rateWindow is what the rate is measured over.
	rateWindow = 10 * time.Second
)

// watch tells the progress until no entry of the run waits.
func (e *engine) watch(s *session, filler queue, run int64, start ledger.Counts) error {
	meter := newMeter(start)
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	left, endedThen := start.Waiting, e.ended.Load()
	lastEnd := time.Now()
	for {
		tell := false
		select {
		case <-e.soft.Done():
			return context.Cause(e.soft)
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-e.worked:
			lastEnd = time.Now()
			if left-int(e.ended.Load()-endedThen) > 0 {
				continue // not the end: a look every second will do
			}
		case <-ticker.C:
			tell = true
		}
		ended := e.ended.Load()
		counts, err := e.options.Ledger.Counts(s.ctx, run)
		if err != nil {
			return s.ledgerError(err)
		}
		if counts.Waiting != left {
			lastEnd = time.Now()
		}
		left, endedThen = counts.Waiting, ended
		if tell {
			rate, remaining := meter.measure(time.Now(), counts)
			e.notify(Event{Kind: KindProgress, Counts: &counts, Rate: rate, Left: remaining})
		}
		if left == 0 {
			return nil
		}
		if time.Since(lastEnd) > stallTime {
			lastEnd = time.Now()
			if err := e.fill(s.ctx, filler, run); err != nil {
				return s.ledgerError(err)
			}
		}
	}
}

// meter measures how fast users come to an end.
type meter struct{ points []meterPoint }

type meterPoint struct {
	at    time.Time
	ended int
}

func newMeter(start ledger.Counts) *meter {
	return &meter{points: []meterPoint{{time.Now(), start.Done + start.Failed}}}
}

// measure returns users a second lately, and how long the rest takes; 0 where
// that cannot be told.
func (m *meter) measure(now time.Time, counts ledger.Counts) (float64, time.Duration) {
	ended := counts.Done + counts.Failed
	m.points = append(m.points, meterPoint{now, ended})
	for len(m.points) > 2 && now.Sub(m.points[1].at) >= rateWindow {
		m.points = m.points[1:]
	}
	first := m.points[0]
	seconds := now.Sub(first.at).Seconds()
	if seconds <= 0 || ended <= first.ended {
		return 0, 0
	}
	rate := float64(ended-first.ended) / seconds
	return rate, time.Duration(float64(counts.Waiting) / rate * float64(time.Second)).Round(time.Second)
}
