package batchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// reportOptions is everything that report takes.
type reportOptions struct {
	reportFlags
	store option.Store
	run   int64
	list  bool
}

// NewReport returns the command report.
func NewReport(streams *stdio.Streams) *cobra.Command {
	var options reportOptions
	command := &cobra.Command{
		Use:   "report",
		Short: "Show what a batch came to",
		Long: "report shows what a run of batch came to: its counts and the reasons of failures, or with\n" +
			"--format or -o every user, as CSV for a spreadsheet, JSON for a program, or one HTML page\n" +
			"that needs nothing else. It can be asked while the batch is at work. A run keeps what\n" +
			"became of its users, whatever later runs do.",
		Example: "  cse-piv report\n" +
			"  cse-piv report --list\n" +
			"  cse-piv report --run 3 -o monday.html",
		RunE: func(cmd *cobra.Command, _ []string) error { return runReport(cmd.Context(), streams, &options) },
	}
	flags := command.Flags()
	options.store.Add(flags)
	flags.Int64Var(&options.run, "run", 0, "`number` of the run (default the newest)")
	options.reportFlags.add(flags)
	flags.BoolVar(&options.list, "list", false, "list all runs")
	command.AddCommand(newExpiring(streams))
	return command
}

func runReport(ctx context.Context, streams *stdio.Streams, options *reportOptions) (err error) {
	format, err := options.chosen()
	if err != nil {
		return err
	}
	book, err := options.store.OpenReadOnly(ctx)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) {
		return &failure.NoRunError{Ledger: missing.Path, Err: err}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	if options.list {
		return listRuns(ctx, streams.Out, book, options.json)
	}
	run, err := book.Run(ctx, options.run)
	switch {
	case errors.Is(err, ledger.ErrNoRun) && options.run == 0:
		return &failure.NoRunError{Ledger: book.Name(), Err: err}
	case err != nil:
		return err
	case options.output != "":
		return writeReport(ctx, options.output, options.overwrite, format, options.bom, book, run)
	case format != "":
		return writeFormat(ctx, streams.Out, format, options.bom, book, run)
	}
	return printRun(ctx, streams.Out, book, run)
}

// chosen returns the format, "" for a summary.
func (o *reportOptions) chosen() (report.Format, error) {
	switch {
	case o.run < 0:
		return "", usage.Errorf("--run %d is no number of a run", o.run)
	case o.list && (o.format != "" || o.output != "" || o.run != 0):
		return "", usage.Errorf("--list goes with --json only")
	case o.list:
		return "", nil
	}
	return o.reportFlags.chosen()
}

// writeReport writes the report of a run into a file.
func writeReport(ctx context.Context, file string, overwrite bool, format report.Format, bom bool, book *ledger.Ledger, run ledger.Run) error {
	return replaceFile(file, overwrite, func(out io.Writer) error { return writeFormat(ctx, out, format, bom, book, run) })
}

// writeFormat writes a report, CSV with a byte order mark where that is asked for.
func writeFormat(ctx context.Context, out io.Writer, format report.Format, bom bool, book *ledger.Ledger, run ledger.Run) error {
	if err := writeBOM(out, format, bom); err != nil {
		return err
	}
	return report.Write(ctx, out, format, book, run)
}

// RunsJSON is the output of report --list --json; the names are a contract.
type RunsJSON struct {
	Runs []ledger.Run `json:"runs"`
}

func listRuns(ctx context.Context, out io.Writer, book *ledger.Ledger, asJSON bool) error {
	runs, err := book.Runs(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return stdio.JSON(out, RunsJSON{append([]ledger.Run{}, runs...)})
	}
	rows := stdio.NewTable(out, "RUN", "STARTED (UTC)", "FINISHED (UTC)", "OPERATOR", "SOURCE")
	for _, run := range runs {
		finished := "not finished"
		if !run.Finished.IsZero() {
			finished = run.Finished.UTC().Format(stdio.Clock)
		}
		rows.Row(run.ID, run.Started.UTC().Format(stdio.Clock), finished, run.Operator, run.Source)
	}
	return rows.Flush()
}

// printRun shows a person what a run came to.
func printRun(ctx context.Context, out io.Writer, book *ledger.Ledger, run ledger.Run) error {
	counts, err := book.Counts(ctx, run.ID)
	if err != nil {
		return err
	}
	groups, err := book.Groups(ctx, run.ID)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("run %d of %s", run.ID, run.Source)
	done, waiting := "registered", "waiting"
	if run.DryRun {
		title, done, waiting = "dry run of "+run.Source, "registered already", "would be registered"
	}
	if counts.Earlier > 0 {
		done += fmt.Sprintf(" (%s by an earlier run)", format.Number(counts.Earlier))
	}
	toDo, again := counts.Waiting-counts.WaitingAgain, counts.WaitingAgain
	fmt.Fprintln(out, safetext.Clean(title))
	for _, line := range []struct {
		count int
		what  string
		show  bool
	}{{counts.Done, done, !run.DryRun || counts.Done > 0}, {toDo, waiting, run.DryRun || toDo > 0}, {again, report.AgainText, again > 0}, {counts.Failed, "failed", true},
		{counts.TakenOver, "waited, and a later run has them too", counts.TakenOver > 0}} {
		if line.show {
			fmt.Fprintf(out, "%9s  %s\n", format.Number(line.count), line.what)
		}
	}
	if run.Partial {
		fmt.Fprintln(out, report.PartialText)
	}
	superfluous, example, err := book.Superfluous(ctx, run.ID)
	if err != nil {
		return err
	}
	if superfluous > 0 {
		fmt.Fprintf(out, "%9s  with superfluous key pairs, for example %s\n", format.Number(superfluous), safetext.Clean(example))
		fmt.Fprintf(out, "%9s    %s\n", "", report.SuperfluousText)
	}
	sums, err := report.Summarise(ctx, book, run)
	if err != nil {
		return err
	}
	if sums.Expiring > 0 {
		fmt.Fprintf(out, "%9s  with certificates that end within 90 days, the first on %s\n", format.Number(sums.Expiring), format.Day(sums.FirstEnd))
	}
	for _, group := range sums.Warnings {
		fmt.Fprintf(out, "%9s  warned of %s, for example %s: %s\n", format.Number(group.Count), group.Rule, safetext.Clean(group.Example), safetext.Clean(group.Message))
	}
	for _, group := range groups {
		fmt.Fprintf(out, "%9s  %s: %s\n", format.Number(group.Count), safetext.Clean(group.Reason), report.ClassText(group.Class))
		fmt.Fprintf(out, "%9s    %s: %s\n", "", safetext.Clean(group.Example), safetext.Clean(group.Message))
		if group.Hint != "" {
			fmt.Fprintf(out, "%9s    hint: %s\n", "", safetext.Clean(group.Hint))
		}
	}
	return nil
}
