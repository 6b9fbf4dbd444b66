// Package batchcmd is batch, worker and report: many users at once, and what became
// of them.
package batchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/prepare"
	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// batchOptions is everything that batch takes.
type batchOptions struct {
	source      option.Source
	password    *option.Secret
	gmail       option.Gmail
	work        workFlags
	store       option.Store
	pick        pickFlags
	chain       []string
	layout      string
	allowUse    bool
	online      option.Online
	dryRun      bool
	trustLedger bool
	enqueueOnly bool
	json        bool
	reports     []string
	csvBOM      bool
	overwrite   bool
}

// New returns the command batch.
func New(streams *stdio.Streams) *cobra.Command {
	var options batchOptions
	command := &cobra.Command{
		Use:   "batch SOURCE",
		Short: "Register many certificates that were issued elsewhere",
		Long: "batch reads who is to be registered with which certificates, checks them, and registers each\n" +
			"user at Gmail once: key pairs for keys on cards, and the identity. SOURCE is\n" +
			"  a folder  with files like user@example.com.p7pem (also .pem, .cer, .p7b)\n" +
			"  a file    a manifest in CSV or NDJSON; - is one on standard input\n" +
			"  ldap://…  or ldaps://…, a directory\n\n" +
			"What was done is kept in the ledger: after an interrupt, a crash or failures, run the same\n" +
			"command again and it goes on where it was. The exit code is 3 if anyone failed.",
		Example: "  cse-piv batch export/ --chain issuing.pem --chain root.pem --dry-run\n" +
			"  cse-piv batch people.csv --chain ca.pem --credentials key.json --report monday.html\n" +
			"  cse-piv batch ldaps://ldap.example.com --ldap-base ou=people,dc=example,dc=com",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := runBatch(cmd.Context(), streams, &options, args[0])
			if options.json {
				err = streams.TellLines(err)
			}
			return err
		},
	}
	flags := command.Flags()
	options.source.Add(flags)
	options.password = option.AddPKCS12Password(flags)
	options.gmail.Add(flags)
	options.gmail.AddDirectory(flags)
	options.work.add(flags)
	options.store.Add(flags)
	options.store.AddWait(flags)
	options.pick.add(flags)
	flags.StringSliceVar(&options.chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	setting.Mark(flags, "chain")
	flags.StringVar(&options.layout, "layout", "single", "`layout` of a file with several certificates of a user: single, one for signing and encryption, or split, one for each")
	flags.BoolVar(&options.allowUse, "allow-limited-use", false, "take a single key whose certificate is for signing only, or for encryption only")
	options.online.Add(flags, option.RevocationOff)
	flags.BoolVar(&options.dryRun, "dry-run", false, "read and check everything, ask Gmail nothing and record nothing; --directory is asked")
	flags.BoolVar(&options.trustLedger, "trust-ledger", false, "do not look at Gmail again for users that the ledger calls done")
	flags.BoolVar(&options.enqueueOnly, "enqueue-only", false, "leave the work to the workers of a shared ledger")
	flags.StringArrayVar(&options.reports, "report", nil, "`file` to write a report to at the end: .csv, .json or .html (repeatable)")
	addOverwrite(flags, &options.overwrite, "--report")
	flags.BoolVar(&options.csvBOM, "csv-bom", false, "begin CSV reports with a byte order mark, by which Excel knows UTF-8")
	flags.BoolVar(&options.json, "json", false, "report what happens as JSON lines, the last of them a summary")
	return command
}

// check finds what is wrong with the flags before anything is opened.
func (o *batchOptions) check() error {
	if _, err := o.store.Resolve(); err != nil {
		return err
	}
	for _, file := range o.reports {
		if _, err := reportFormat("--report", file); err != nil {
			return err
		}
		// Better now than after the run.
		if _, err := durable.Folder(filepath.Dir(file)).Probe(1); err != nil {
			return usage.Errorf("--report: nothing can be written into the folder of %s: %w", file, err)
		}
		if !o.overwrite {
			if err := report.CheckReplaceable(file); err != nil {
				return fmt.Errorf("--report: %w", err)
			}
		}
	}
	if o.enqueueOnly && !o.store.Shared() {
		return usage.Errorf("--enqueue-only needs a ledger that workers share: --store postgres://HOST/DATABASE")
	}
	if o.enqueueOnly && o.dryRun {
		return usage.Errorf("--enqueue-only and --dry-run do not go together")
	}
	if o.layout != string(enroll.LayoutSingle) && o.layout != string(enroll.LayoutSplit) {
		return usage.Errorf("layout %q is neither single nor split", o.layout)
	}
	return o.pick.check()
}

func runBatch(ctx context.Context, streams *stdio.Streams, options *batchOptions, spec string) (err error) {
	if err := options.check(); err != nil {
		return err
	}
	progress := newBatchProgress(streams, options.json)
	progress.lost = options.dryRun && len(options.reports) == 0
	defer progress.close()
	defer context.AfterFunc(ctx, progress.stopping)()
	observed, err := options.work.metrics.start(ctx.Done(), streams.Err)
	if err != nil {
		return err
	}
	defer observed.close()
	if options.source.Password, err = options.password.Read(ctx); err != nil {
		return err
	}
	for _, warning := range options.password.Warnings() {
		progress.note(warning)
	}
	from, err := options.source.Open(ctx, spec, streams.In, progress.note)
	if err != nil {
		return err
	}
	chain, err := option.ReadCertificates(options.chain)
	if err != nil {
		return err
	}
	sources, err := options.online.Open(streams.Err)
	if err != nil {
		return err
	}
	pick, err := options.pick.pick(ctx)
	if err != nil {
		return err
	}
	task := batch.Options{
		Pick: pick, Source: from, Prepare: prepare.New(prepare.Options{
			Chain: chain, Sources: sources, Hint: hint.For, Choose: options.source.Choose, Password: options.source.Password, Split: options.layout == string(enroll.LayoutSplit), AllowLimitedUse: options.allowUse,
		}).Entry,
		DryRun: options.dryRun, TrustLedger: options.trustLedger, NoWork: options.enqueueOnly,
		Operator: program.Operator(), Tool: "cse-piv " + program.Version(), Stopping: ctx.Done(), Notify: progress.event, Hint: hint.For,
	}
	if !options.dryRun {
		if err := options.work.open(ctx, &task, &options.gmail, streams.Err, progress, observed); err != nil {
			return err
		}
	} else if options.gmail.Directory() != "" {
		domain, _, err := options.work.Open(ctx, &options.gmail, streams.Err)
		if err != nil {
			return err
		}
		task.CheckUsers = domain.CheckUsers
	}
	if err := options.openLedgers(ctx, streams, &task); err != nil {
		return err
	}
	defer func() {
		observed.close()
		if task.Known != nil {
			err = errors.Join(err, task.Known.Close())
		}
		err = errors.Join(err, task.Ledger.Close())
	}()
	observed.watch(&task)
	// Stopping ends the run; what is in flight then comes to its end.
	after := context.WithoutCancel(ctx)
	_, runErr := batch.Run(after, task)
	progress.close()
	if progress.run == 0 {
		return runErr
	}
	return options.conclude(after, streams, &task, progress.run, runErr)
}

// openLedgers opens the ledger; a dry run works in one of its own that is thrown
// away, and only looks at the real one.
func (o *batchOptions) openLedgers(ctx context.Context, streams *stdio.Streams, task *batch.Options) (err error) {
	if !o.dryRun {
		task.Ledger, err = o.store.Open(ctx, streams.Err)
		return err
	}
	var missing *ledger.MissingError
	task.Known, err = o.store.OpenReadOnly(ctx)
	if errors.As(err, &missing) {
		task.Known, err = nil, nil
	}
	if err != nil {
		return err
	}
	task.Ledger, err = ledger.OpenTemporary(ctx)
	if err != nil && task.Known != nil {
		err = errors.Join(err, task.Known.Close())
	}
	return err
}

// conclude shows what the run came to, writes its reports, and returns the error that
// the command ends with.
func (o *batchOptions) conclude(ctx context.Context, streams *stdio.Streams, task *batch.Options, id int64, runErr error) error {
	run, err := task.Ledger.Run(ctx, id)
	if err != nil && errors.As(runErr, new(*ledger.Error)) {
		return runErr // the same again
	}
	if err != nil {
		return errors.Join(runErr, err)
	}
	counts, err := task.Ledger.Counts(ctx, id)
	if err != nil {
		return errors.Join(runErr, err)
	}
	var reports error
	for _, file := range o.reports {
		format, err := report.FormatOf(file)
		if err == nil {
			err = writeReport(ctx, file, o.overwrite, format, o.csvBOM, task.Ledger, run)
		}
		reports = errors.Join(reports, err)
	}
	end := errors.Join(runErr, reports)
	if end == nil {
		end = o.judge(streams.Err, run, counts)
	}
	switch {
	case o.json:
		return errors.Join(stdio.Told(end), printSummary(ctx, streams, task.Ledger, run, end, o.reports))
	case counts.Total > 0:
		return errors.Join(end, printRun(ctx, streams.Out, task.Ledger, run))
	}
	return end
}

// judge returns the error that a run which came to its end is.
func (o *batchOptions) judge(messages io.Writer, run ledger.Run, counts ledger.Counts) error {
	switch {
	case counts.Total == 0 && (o.pick.retry != "" || o.pick.limit > 0):
		fmt.Fprintf(messages, "cse-piv: nobody is left in %s for what --retry and --limit ask for\n", safetext.Clean(run.Source))
		return nil
	case counts.Total == 0:
		return &failure.NobodyError{Source: run.Source, Only: len(o.pick.only) > 0}
	case counts.Failed == 0:
		return nil
	}
	return &failure.BatchError{Counts: counts, DryRun: o.dryRun, Reported: len(o.reports) > 0}
}
