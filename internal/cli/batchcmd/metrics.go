package batchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/metrics"
)

// metricsFlags say where figures and health are served.
type metricsFlags struct {
	address string
	remote  bool
}

func (f *metricsFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "metrics", "", "`HOST:PORT` at which metrics for Prometheus (/metrics) and health (/healthz, /readyz) are served over http, such as 127.0.0.1:9090 (default nowhere)")
	flags.BoolVar(&f.remote, "metrics-remote", false, "allow an address for --metrics that other machines can reach: whoever does can read the metrics")
	setting.Mark(flags, "metrics", "metrics-remote")
}

// observer has the figures of a batch or a worker, and serves them.
type observer struct {
	figures  *metrics.Metrics
	server   *metrics.Server
	stopping <-chan struct{}
	reasons  []string // for which users fail

	book    atomic.Pointer[ledger.Ledger]
	limiter atomic.Pointer[batch.Limiter]
	run     atomic.Int64 // of a batch
	beat    atomic.Int64 // when the last heartbeat was, in nanoseconds since 1970
	silent  atomic.Bool  // whether the first one failed
}

// start serves the figures of work that begins no more users once stopping is closed. It
// returns nil where nobody asked for them; a nil observer observes nothing.
func (f *metricsFlags) start(stopping <-chan struct{}, messages io.Writer) (*observer, error) {
	if f.address == "" {
		if f.remote {
			return nil, usage.Errorf("--metrics-remote allows an address of --metrics, which is not given")
		}
		return nil, nil
	}
	o := &observer{stopping: stopping}
	for _, reason := range batch.Reasons() {
		o.reasons = append(o.reasons, reason.Name)
	}
	o.figures = metrics.New(program.Version(), o.look)
	server, err := metrics.Serve(f.address, f.remote, metrics.Handler(o.figures, o.ready))
	if err != nil {
		return nil, usage.Errorf("--metrics %s: %w", f.address, err)
	}
	o.server = server
	fmt.Fprintf(messages, "cse-piv: metrics are at %s\n", server.URL())
	return o, nil
}

// close ends the serving. It may be called more than once.
func (o *observer) close() {
	if o != nil {
		o.server.Close()
	}
}

// watch has a task, whose ledger is open, tell what happens.
func (o *observer) watch(task *batch.Options) {
	if o == nil {
		return
	}
	notify := task.Notify
	task.Notify = func(e batch.Event) {
		o.event(e)
		notify(e)
	}
	task.OnHeartbeat, task.OnLedgerError = o.heartbeat, o.ledgerError
	o.limiter.Store(task.Limiter)
	o.book.Store(task.Ledger)
}

// observe has the calls of Gmail counted.
func (o *observer) observe(config *gmail.Config) {
	config.OnCall = func(call gmail.Call) {
		if call.Err == nil {
			o.figures.Call(call.Method, 200, "ok", call.Took)
			return
		}
		o.figures.Call(call.Method, call.Err.Status, string(call.Err.Kind), call.Took)
	}
	config.OnRetry = func(method string, err error, _ time.Duration) { o.figures.CallRetry(method, kindOf(err)) }
	pace, wait := config.Pace, config.Wait
	config.Pace = func(ctx context.Context) error {
		began := time.Now()
		err := pace(ctx)
		if long := time.Since(began); long >= time.Millisecond { // less is no wait
			o.figures.Waited("own", long)
		}
		return err
	}
	config.Wait = func(ctx context.Context, err error, in time.Duration) bool {
		began := time.Now()
		again := wait(ctx, err, in)
		o.figures.Waited(kindOf(err), time.Since(began))
		return again
	}
}

// other is a label's value for what the program has no name for.
const other = "other"

func kindOf(err error) string {
	var e *gmail.Error
	if errors.As(err, &e) {
		return string(e.Kind)
	}
	return other
}

func (o *observer) event(e batch.Event) {
	if e.Run != 0 {
		o.run.CompareAndSwap(0, e.Run)
	}
	reason := e.Reason
	if !slices.Contains(o.reasons, reason) {
		reason = other
	}
	switch e.Kind {
	case batch.KindDone:
		o.figures.UserDone()
	case batch.KindFailed:
		o.figures.UserFailed(reason)
	case batch.KindRetry:
		o.figures.UserRetry(reason)
	}
}

func (o *observer) heartbeat(err error) {
	if err != nil {
		o.silent.Store(true)
		o.figures.HeartbeatFailed()
		return
	}
	now := time.Now()
	o.beat.Store(now.UnixNano())
	o.figures.Heartbeat(now)
}

func (o *observer) ledgerError(err error) {
	var failed *ledger.Error
	switch {
	case errors.Is(err, ledger.ErrChanged):
		o.figures.LedgerError("changed")
	case errors.As(err, &failed) && failed.Problem() != ledger.ProblemOther:
		o.figures.LedgerError(string(failed.Problem()))
	default:
		o.figures.LedgerError(other)
	}
}

// look tells how work stands.
func (o *observer) look(ctx context.Context) (state metrics.State) {
	if limiter := o.limiter.Load(); limiter != nil {
		load := limiter.Load()
		state.InFlight, state.Limit, state.Paused = load.InFlight, load.Limit, load.Paused
	}
	book := o.book.Load()
	if book == nil {
		return state
	}
	run := o.run.Load()
	if book.Shared() {
		run = 0
	}
	queue, err := book.Queue(ctx, run)
	if err != nil {
		return state
	}
	workers, err := book.Workers(ctx)
	if err != nil {
		return state
	}
	state.Ledger = &metrics.LedgerState{Waiting: queue.Waiting, Due: queue.Due, Workers: workers}
	return state
}

// ready tells whether users can be worked on.
func (o *observer) ready(ctx context.Context) []metrics.Check {
	checks := []metrics.Check{{Name: "work", OK: true, Text: "users are begun"}}
	select {
	case <-o.stopping:
		checks[0] = metrics.Check{Name: "work", Text: "no more users are begun"}
	default:
	}
	book := o.book.Load()
	if book == nil {
		return append(checks, metrics.Check{Name: "ledger", Text: "is not open yet"})
	}
	if book.Ping(ctx) != nil {
		checks = append(checks, metrics.Check{Name: "ledger", Text: "does not answer"})
	} else {
		checks = append(checks, metrics.Check{Name: "ledger", OK: true, Text: "answers"})
	}
	if book.Shared() {
		checks = append(checks, o.alive(time.Now()))
	}
	return checks
}

// alive tells whether a shared ledger knows this worker.
func (o *observer) alive(now time.Time) metrics.Check {
	check := metrics.Check{Name: "heartbeat"}
	beat := o.beat.Load()
	if beat == 0 {
		check.OK, check.Text = !o.silent.Load(), "none yet"
		return check
	}
	age := now.Sub(time.Unix(0, beat))
	check.OK, check.Text = age < batch.SilentAfter, fmt.Sprintf("the last was %.0f s ago", max(age.Seconds(), 0))
	return check
}
