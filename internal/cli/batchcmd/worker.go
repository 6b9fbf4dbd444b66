package batchcmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// workerOptions is everything that worker takes.
type workerOptions struct {
	gmail option.Gmail
	work  workFlags
	store option.Store
	json  bool
}

// NewWorker returns the command worker.
func NewWorker(streams *stdio.Streams) *cobra.Command {
	var options workerOptions
	command := &cobra.Command{
		Use:   "worker --store postgres://HOST/DATABASE",
		Short: "Work along on the batches of a shared ledger",
		Long: "worker registers users that batch, here or on another machine, put into a ledger in\n" +
			"PostgreSQL. Any number of workers share the work; what a dead one left is taken up by the\n" +
			"others within a minute. It runs until it is interrupted, then finishes what it has begun.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := runWorker(cmd.Context(), streams, &options)
			if options.json {
				err = streams.TellLines(err)
			}
			return err
		},
	}
	flags := command.Flags()
	options.gmail.Add(flags)
	options.work.add(flags)
	options.store.Add(flags)
	flags.BoolVar(&options.json, "json", false, "report what happens as JSON lines")
	return command
}

func runWorker(ctx context.Context, streams *stdio.Streams, options *workerOptions) (err error) {
	if !options.store.Shared() {
		return usage.Errorf("worker needs a ledger that several processes share: --store postgres://HOST/DATABASE")
	}
	progress := newWorkerProgress(streams, options.json)
	defer progress.close()
	observed, err := options.work.metrics.start(ctx.Done(), streams.Err)
	if err != nil {
		return err
	}
	defer observed.close()
	// There may be several on one machine.
	name := fmt.Sprintf("%s/%d", program.Operator(), os.Getpid())
	task := batch.Options{Operator: name, Tool: "cse-piv " + program.Version(), Stopping: ctx.Done(), Notify: progress.event, Hint: hint.For}
	if err := options.work.open(ctx, &task, &options.gmail, streams.Err, progress, observed); err != nil {
		return err
	}
	if task.Ledger, err = options.store.Open(ctx, streams.Err); err != nil {
		return err
	}
	defer func() {
		observed.close()
		err = errors.Join(err, task.Ledger.Close())
	}()
	observed.watch(&task)
	defer context.AfterFunc(ctx, progress.stopping)()
	fmt.Fprintf(streams.Err, "cse-piv: working on %s until interrupted, at %s\n", task.Ledger.Name(), safetext.Clean(options.gmail.Place()))
	err = batch.Work(context.WithoutCancel(ctx), task)
	if errors.As(err, new(*batch.InterruptedError)) {
		return nil // what it was told to do
	}
	return err
}
