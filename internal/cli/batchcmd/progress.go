package batchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/progress"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// mostNotes is how many warnings and failures are shown as they happen; the
// report has them all.
const mostNotes = 20

// longWait is from when on a person is told that a user is waited for: longer than
// what a batch does by itself.
const longWait = 2 * time.Minute

// batchProgress shows what happens in a batch: a bar or lines for a person, or
// JSON lines.
type batchProgress struct {
	run int64 // known from the first event on

	// endless has the events counted: nobody tells a worker how much there is.
	endless bool

	mu     sync.Mutex
	lines  io.Writer      // of JSON; nil without --json
	meter  progress.Meter // of the lines; a bar has its own
	bar    *progress.Bar
	tally  progress.Tally
	notes  int
	said   map[string]bool // warnings that were shown; others may be the same
	quiet  int             // how many were not
	lost   bool            // nothing keeps them: a dry run without a report
	hinted bool            // what helps while nobody gets through was said
}

func newBatchProgress(streams *stdio.Streams, asJSON bool) *batchProgress {
	p := &batchProgress{tally: progress.Tally{Reading: true}, said: map[string]bool{}}
	if asJSON {
		p.lines = streams.Out
		p.bar = progress.NewBar(io.Discard, nil)
		return p
	}
	p.bar = streams.NewBar()
	return p
}

// newWorkerProgress shows what one of many workers does.
func newWorkerProgress(streams *stdio.Streams, asJSON bool) *batchProgress {
	p := newBatchProgress(streams, asJSON)
	p.endless, p.tally.Reading = true, false
	return p
}

// EventLine is one line of --json; the names are a contract.
type EventLine struct {
	batch.Event
	Rate float64 `json:"rate,omitempty"`         // users a second
	Left float64 `json:"left_seconds,omitempty"` // of progress; of retry until the next try
	// While nobody gets through: since when, whether the run pauses, and how long
	// until somebody is tried again.
	Stalled float64 `json:"stalled_seconds,omitempty"`
	Paused  bool    `json:"paused,omitempty"`
	NextTry float64 `json:"next_try_seconds,omitempty"`
}

// line adds to an event how fast it goes.
func (p *batchProgress) line(e batch.Event) EventLine {
	line := EventLine{Event: e, Left: e.Wait.Seconds()}
	if e.Kind == batch.KindStarted || e.Kind == batch.KindProgress {
		p.meter.Add(e.Time, e.Counts.Done+e.Counts.Failed)
		line.Rate, line.Left = p.meter.Rate(), p.meter.Left(e.Counts.Waiting).Round(time.Second).Seconds()
	}
	if s := e.Outage; s != nil {
		line.Stalled, line.Paused, line.NextTry = s.For.Round(time.Second).Seconds(), s.Paused, s.Next.Round(100*time.Millisecond).Seconds()
	}
	return line
}

// event takes in what happened.
func (p *batchProgress) event(e batch.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == 0 {
		p.run = e.Run
	}
	if p.lines != nil {
		_ = safetext.EncodeJSON(p.lines, p.line(e), "")
		return
	}
	switch e.Kind {
	case batch.KindFailed, batch.KindWarning:
		p.tell(e)
		p.count(e.Kind)
	case batch.KindRetry:
		if e.Wait > longWait && p.notes < mostNotes {
			p.tell(e)
		}
	case batch.KindDone:
		p.count(e.Kind)
	case batch.KindStarted:
		p.tally.Reading = false
	case batch.KindStalled, batch.KindPaused, batch.KindResumed:
		p.tellOutage(e)
	}
	if e.Counts != nil || e.Kind == batch.KindResumed {
		p.tally.Stalled = outageText(e.Outage)
	}
	if e.Counts != nil {
		p.tally.Total, p.tally.Done, p.tally.Failed = e.Counts.Total, e.Counts.Done, e.Counts.Failed
		p.bar.Show(p.tally)
	}
}

// count shows how many users a worker brought to an end.
func (p *batchProgress) count(kind batch.Kind) {
	if !p.endless {
		return
	}
	switch kind {
	case batch.KindDone:
		p.tally.Done++
	case batch.KindFailed:
		p.tally.Failed++
	}
	p.bar.Show(p.tally)
}

// tell shows a failure, a warning or a wait, unless there were many, or the same of
// somebody else.
func (p *batchProgress) tell(e batch.Event) {
	if p.notes >= mostNotes || e.Kind == batch.KindWarning && p.said[e.Message] {
		p.quiet++
		return
	}
	p.notes++
	text := e.Message
	if e.Email != "" && !strings.Contains(e.Where, e.Email) {
		text = e.Email + ": " + text
	}
	if e.Where != "" && !strings.HasPrefix(text, e.Where) {
		text = e.Where + ": " + text
	}
	switch e.Kind {
	case batch.KindWarning:
		p.said[e.Message] = true
		text = "warning: " + text
	case batch.KindRetry:
		text += fmt.Sprintf("; tried again in %v", e.Wait.Round(time.Second))
	}
	p.bar.Note("cse-piv: " + text)
}

// note shows what a person may want to know of the source.
func (p *batchProgress) note(text string) {
	p.event(batch.Event{Time: time.Now(), Kind: batch.KindWarning, Message: text})
}

// target says whose users are about to be changed, and where.
func (p *batchProgress) target(domain, endpoint, text string) {
	if p.lines == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bar.Note("cse-piv: " + text)
		return
	}
	p.event(batch.Event{Time: time.Now(), Kind: batch.KindTarget, Domain: domain, GmailEndpoint: endpoint, Message: text})
}

// stopping tells a person who interrupts the program why it goes on for a while.
func (p *batchProgress) stopping() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar.Note("cse-piv: finishing the users in flight; interrupt again to stop at once")
}

// close ends the bar. It may be called twice.
func (p *batchProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet > 0 {
		where := "are in the report"
		if p.lost {
			where = "are shown by --report FILE.html"
		}
		p.bar.Note(fmt.Sprintf("cse-piv: %s further failures and warnings %s", format.Number(p.quiet), where))
		p.quiet = 0
	}
	p.bar.Close()
}

// BatchSummary is the last line of --json; the names are a contract.
type BatchSummary struct {
	Time        time.Time      `json:"time"`
	Event       string         `json:"event"` // "summary"
	Run         int64          `json:"run"`
	Source      string         `json:"source"`
	Store       string         `json:"store"`
	DryRun      bool           `json:"dry_run"`
	Interrupted bool           `json:"interrupted"`
	Error       *stdio.Failure `json:"error,omitempty"` // with which the command ends
	Seconds     float64        `json:"seconds"`
	Counts      ledger.Counts  `json:"counts"`
	Groups      []ledger.Group `json:"groups"`
	Superfluous int            `json:"superfluous_users"` // who have superfluous key pairs
	Reports     []string       `json:"reports"`

	Warnings []report.WarningGroup `json:"warnings"` // by rule
	Expiring int                   `json:"expiring_users"`
	FirstEnd time.Time             `json:"first_end,omitzero"` // when the first certificate ends
}

func printSummary(ctx context.Context, streams *stdio.Streams, book *ledger.Ledger, run ledger.Run, end error, reports []string) error {
	counts, err := book.Counts(ctx, run.ID)
	if err != nil {
		return err
	}
	groups, err := book.Groups(ctx, run.ID)
	if err != nil {
		return err
	}
	superfluous, _, err := book.Superfluous(ctx, run.ID)
	if err != nil {
		return err
	}
	sums, err := report.Summarise(ctx, book, run)
	if err != nil {
		return err
	}
	now := time.Now()
	line := BatchSummary{
		Time: now, Event: "summary", Run: run.ID, Source: run.Source, Store: book.Name(), DryRun: run.DryRun,
		Interrupted: errors.Is(end, context.Canceled), Seconds: now.Sub(run.Started).Seconds(),
		Counts: counts, Groups: append([]ledger.Group{}, groups...), Superfluous: superfluous, Reports: append([]string{}, reports...),
		Warnings: sums.Warnings, Expiring: sums.Expiring, FirstEnd: sums.FirstEnd, Error: streams.FailureOf(end),
	}
	if err := safetext.EncodeJSON(streams.Out, line, ""); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}
