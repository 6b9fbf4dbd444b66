package progress

import "time"

// meterWindow is what a rate is measured over: long enough to be calm, short
// enough to follow a server that slows down.
const (
	meterWindow = 30 * time.Second
	meterStep   = 500 * time.Millisecond
)

// Meter measures how fast a count grows.
type Meter struct{ samples []sample }

type sample struct {
	at    time.Time
	count int
}

// Add notes a count. Samples older than the window are let go, but for one, so
// that the window is always covered.
func (m *Meter) Add(at time.Time, count int) {
	if n := len(m.samples); n > 1 && at.Sub(m.samples[n-2].at) < meterStep {
		m.samples[n-1] = sample{at, count}
	} else {
		m.samples = append(m.samples, sample{at, count})
	}
	for len(m.samples) > 2 && at.Sub(m.samples[1].at) >= meterWindow {
		m.samples = m.samples[1:]
	}
}

// Rate is how many a second, 0 while that is not known.
func (m *Meter) Rate() float64 {
	if len(m.samples) < 2 {
		return 0
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	elapsed := last.at.Sub(first.at)
	if elapsed < meterStep || last.count <= first.count {
		return 0
	}
	return float64(last.count-first.count) / elapsed.Seconds()
}

// Left is how long so many more will take, 0 while that is not known.
func (m *Meter) Left(more int) time.Duration {
	rate := m.Rate()
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(more) / rate * float64(time.Second))
}
