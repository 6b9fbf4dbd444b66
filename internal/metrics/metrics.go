// Package metrics has the figures of a worker or a batch, and serves them in Prometheus's
// text format together with its health. It knows nothing of the rest of the program: whoever
// runs the work tells it what happens.
package metrics

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are the figures of one process. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	users, userRetries       *prometheus.CounterVec
	calls, callRetries       *prometheus.CounterVec
	callSeconds              *prometheus.HistogramVec
	pauses, pauseSeconds     *prometheus.CounterVec
	ledgerErrors, heartbeats *prometheus.CounterVec
	lastHeartbeat            prometheus.Gauge
}

// callBuckets are the limits of the histogram in seconds: a call of Gmail's takes some tenths
// of a second, and is given up after 60.
var callBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// New returns figures that are all 0, of a build of that version. look is called at each
// scrape, from one goroutine at a time.
func New(version string, look func(context.Context) State) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		users:    counter(users), userRetries: counter(userRetries),
		calls: counter(calls), callRetries: counter(callRetries),
		callSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: callSeconds.Name, Help: callSeconds.Help, Buckets: callBuckets}, callSeconds.Labels),
		pauses:      counter(pauses), pauseSeconds: counter(pauseSeconds),
		ledgerErrors: counter(ledgerErrors), heartbeats: counter(heartbeats),
		lastHeartbeat: prometheus.NewGauge(prometheus.GaugeOpts{Name: lastHeartbeat.Name, Help: lastHeartbeat.Help}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: buildInfo.Name, Help: buildInfo.Help}, buildInfo.Labels)
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build, m.users, m.userRetries, m.calls, m.callRetries, m.callSeconds, m.pauses, m.pauseSeconds,
		m.ledgerErrors, m.heartbeats, m.lastHeartbeat, newLooker(look), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// A rate is known from the first user on only where there was a 0 before.
	m.users.WithLabelValues("done", "")
	for _, outcome := range []string{"ok", "failed"} {
		m.heartbeats.WithLabelValues(outcome)
	}
	return m
}

func counter(f Family) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: f.Name, Help: f.Help}, f.Labels)
}

// UserDone counts a user who is registered.
func (m *Metrics) UserDone() { m.users.WithLabelValues("done", "").Inc() }

// UserFailed counts a user who failed, for one of the program's failure reasons.
func (m *Metrics) UserFailed(reason string) { m.users.WithLabelValues("failed", reason).Inc() }

// UserRetry counts a user who is to be tried again.
func (m *Metrics) UserRetry(reason string) { m.userRetries.WithLabelValues(reason).Inc() }

// Call counts a call that came to its end. status is that of HTTP, 0 for none; answer is
// "ok" or a kind of error.
func (m *Metrics) Call(method string, status int, answer string, took time.Duration) {
	m.calls.WithLabelValues(method, statusText(status), answer).Inc()
	m.callSeconds.WithLabelValues(method).Observe(took.Seconds())
}

// statusText is a status of HTTP (RFC 9110 section 15): a server can answer with any number.
func statusText(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return "other"
	}
	return strconv.Itoa(status)
}

// CallRetry counts a call that is made again after an answer.
func (m *Metrics) CallRetry(method, answer string) {
	m.callRetries.WithLabelValues(method, answer).Inc()
}

// Waited counts a wait before a call, for one of the program's causes.
func (m *Metrics) Waited(cause string, long time.Duration) {
	m.pauses.WithLabelValues(cause).Inc()
	m.pauseSeconds.WithLabelValues(cause).Add(long.Seconds())
}

// LedgerError counts an error of the ledger.
func (m *Metrics) LedgerError(problem string) { m.ledgerErrors.WithLabelValues(problem).Inc() }

// Heartbeat counts that the shared ledger was told, at a time, that this worker is alive.
func (m *Metrics) Heartbeat(at time.Time) {
	m.heartbeats.WithLabelValues("ok").Inc()
	m.lastHeartbeat.Set(float64(at.UnixMilli()) / 1000)
}

// HeartbeatFailed counts that it could not be told.
func (m *Metrics) HeartbeatFailed() { m.heartbeats.WithLabelValues("failed").Inc() }
