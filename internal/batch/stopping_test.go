package batch_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

func TestWhatConcernsEverybodyStopsTheRun(t *testing.T) {
	o := newOffice(t, "scope-missing")
	people := o.people(t, 200)
	l := openLedger(t, ledgerFile(t))
	counts, err := run(t, o.options(t, l, people))
	var stopped *batch.StoppedError
	if !errors.As(err, &stopped) || !errors.Is(err, gmail.ErrScope) || counts != (ledger.Counts{Total: 200, Waiting: 200}) {
		t.Fatalf("%+v %v", counts, err)
	}
	if n := o.lab.Stats().APICalls; n > 100 {
		t.Errorf("%d calls", n)
	}
	o.setFaults(t)
	if counts := mustRun(t, o.options(t, l, people)); counts.Done != 200 {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
}

func TestStopping(t *testing.T) {
	o := newOffice(t, "latency:20ms")
	people := o.people(t, 300)
	l := openLedger(t, ledgerFile(t))
	options := o.options(t, l, people)
	stopping := make(chan struct{})
	options.Stopping = stopping
	ended := 0
	options.Notify = func(event batch.Event) {
		if event.Kind == batch.KindDone {
			if ended++; ended == 40 {
				close(stopping)
			}
		}
	}
	counts, err := run(t, options)
	if !isInterrupted(err) || counts.Failed != 0 || counts.Waiting == 0 || counts.Done < 40 {
		t.Fatalf("%+v %v", counts, err)
	}
	// Those in flight came to their end: nobody has a key pair without an identity.
	o.checkOnce(t, registered(o, people))
	if n := len(registered(o, people)); n != counts.Done {
		t.Errorf("%d have a key pair, %d are done", n, counts.Done)
	}
	options.Stopping, options.Notify = nil, nil
	if counts := mustRun(t, options); counts.Done != 300 {
		t.Errorf("%+v", counts)
	}
	o.checkOnce(t, people)
}

// registered are those who have a key pair.
func registered(o *office, people rows) rows {
	var have rows
	for _, row := range people {
		if len(o.lab.Gmail().KeyPairs(row.Email)) > 0 {
			have = append(have, row)
		}
	}
	return have
}

// silent is a source that has one row and then waits for more.
type silent struct{ rows }

func (s silent) Rows(ctx context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		if yield(s.rows[0], nil) {
			<-ctx.Done()
			yield(source.Row{}, ctx.Err())
		}
	}
}

func TestStoppingWhileReading(t *testing.T) {
	o := newOffice(t)
	options := o.options(t, openLedger(t, ledgerFile(t)), silent{o.people(t, 1)})
	stopping := make(chan struct{})
	close(stopping)
	options.Stopping = stopping
	if counts, err := run(t, options); !isInterrupted(err) || counts.Done != 0 {
		t.Errorf("%+v %v", counts, err)
	}
}
