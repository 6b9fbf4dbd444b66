package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// Rows are prepared and entered so many at a time, or fewer where they are large.
const (
	readRows  = 500
	readBytes = 8 << 20
)

// read streams the source into the ledger.
func (e *engine) read(ctx context.Context, run int64) error {
	o := e.options
	rows, size := make([]source.Row, 0, readRows), 0
	var counts ledger.Counts
	picker := &picker{Pick: o.Pick, known: o.Ledger}
	if o.DryRun {
		picker.known = o.Known
	}
	enter := func() error {
		if len(rows) == 0 {
			return nil
		}
		if e.soft.Err() != nil {
			return context.Cause(e.soft)
		}
		prepared := prepareAll(ctx, rows, o.Prepare)
		if ctx.Err() != nil {
			return context.Cause(ctx) // what could not be asked then is nobody's failure
		}
		picked, enough := picker.pick(ctx, prepared)
		if enough != nil && !errors.Is(enough, errEnough) {
			return enough
		}
		if err := e.checkUsers(ctx, picked); err != nil {
			return err
		}
		entered, err := o.Ledger.Put(ctx, run, picked, o.TrustLedger)
		if err != nil {
			return err
		}
		if o.Known != nil {
			if err := e.lookUp(ctx, entered); err != nil {
				return err
			}
		}
		counts.Total += len(entered)
		clear(rows) // what they hold may be large
		rows, size = rows[:0], 0
		for _, entry := range entered {
			e.tellRow(ctx, entry)
		}
		e.notify(ctx, Event{Kind: KindRead, Counts: &counts})
		return enough
	}
	// A source may be waited for, such as a pipe: stopping ends that too.
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.soft, cancel)()
	for row, err := range o.Source.Rows(reading) {
		if err != nil && e.soft.Err() != nil {
			return context.Cause(e.soft)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", o.Source.Name(), err)
		}
		if !picker.wants(row.Email) {
			continue
		}
		rows = append(rows, row)
		for _, certificate := range row.Certificates {
			size += len(certificate.Data)
		}
		if len(rows) == readRows || size >= readBytes {
			if err := enter(); errors.Is(err, errEnough) {
				return o.Ledger.MarkRead(ctx, run)
			} else if err != nil {
				return err
			}
		}
	}
	if err := enter(); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return o.Ledger.MarkRead(ctx, run)
}

// tellRow reports what is to be said about a row that was read.
func (e *engine) tellRow(ctx context.Context, entry ledger.Entry) {
	switch {
	case entry.State == ledger.StateFailed:
		e.notify(ctx, Event{Kind: KindFailed, Email: entry.Email, Where: entry.Where, Reason: entry.Reason, Message: entry.Message, Hint: entry.Hint})
	case len(entry.Warnings) > 0:
		for _, warning := range entry.Warnings {
			e.notify(ctx, Event{Kind: KindWarning, Email: entry.Email, Where: entry.Where, Message: warning})
		}
	}
}

// prepareAll prepares rows on all processors and keeps their order.
func prepareAll(ctx context.Context, rows []source.Row, prepare func(context.Context, source.Row) ledger.Entry) []ledger.Entry {
	entries := make([]ledger.Entry, len(rows))
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < len(rows); i += workers {
				entries[i] = prepare(ctx, rows[i])
			}
		})
	}
	group.Wait()
	return entries
}

// lookUp enters what a dry run's other ledger knows to be done already, and not to be
// changed by hand since.
func (e *engine) lookUp(ctx context.Context, entered []ledger.Entry) error {
	byHand, err := e.options.Known.ChangedByHand(ctx, entered)
	if err != nil {
		return err
	}
	for _, entry := range entered {
		if entry.State != ledger.StateWaiting {
			continue
		}
		known, ok, err := e.options.Known.Entry(ctx, entry.Email)
		if err != nil {
			return err
		}
		if ok && known.State == ledger.StateDone && ledger.SamePairs(known.Pairs, entry.Pairs) {
			if action, changed := byHand[ledger.Key(entry.Email)]; changed {
				e.notify(ctx, Event{Kind: KindWarning, Email: entry.Email, Where: entry.Where, Message: fmt.Sprintf(
					"an earlier run registered it, and %s changed it by hand since (%s): a run looks what is to be put right", action.Operator, action.Verb)})
				continue
			}
			if err := e.options.Ledger.MarkEarlier(ctx, known); err != nil {
				return err
			}
		}
	}
	return nil
}
