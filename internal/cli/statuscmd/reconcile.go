package statuscmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/progress"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/status"
)

// reconcileOptions is everything that reconcile takes.
type reconcileOptions struct {
	surveyFlags
	source   option.Source
	allKnown bool
	json     bool
}

// NewReconcile returns the command reconcile.
func NewReconcile(streams *stdio.Streams) *cobra.Command {
	var options reconcileOptions
	command := &cobra.Command{
		Use:   "reconcile SOURCE | --all-known",
		Short: "Compare Gmail, the ledger and a source of users, and say what to do about each difference",
		Long: "reconcile looks at everybody in the ledger and in SOURCE, which is one as batch takes it: a folder,\n" +
			"a CSV or NDJSON file, or a directory, whose certificates are left aside here. It lists who is not\n" +
			"as they should be, why, and the command that helps: identities that are not in the ledger,\n" +
			"key pairs in no identity, people who are gone from the source, certificates that end, key pairs\n" +
			"in a key service beside those of cards; with --directory also accounts that are suspended or\n" +
			"gone. It changes nothing.\n\n" +
			"Gmail cannot be asked who has key pairs: nobody is seen whom neither the ledger nor the source\n" +
			"names. The exit code is 3 where something is found or somebody could not be looked at, else 0.",
		Example: "  cse-piv reconcile people.csv\n" +
			"  cse-piv reconcile --all-known --within 8w --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && !options.allKnown:
				return usage.Errorf("nothing is named to compare with: give a SOURCE, such as people.csv, or --all-known")
			case len(args) > 0 && options.allKnown || len(args) > 1:
				return usage.Errorf("give one source or --all-known, and not both")
			}
			return options.run(cmd.Context(), streams, args)
		},
	}
	options.add(command)
	options.gmail.AddDirectory(command.Flags())
	options.source.Add(command.Flags())
	command.Flags().BoolVar(&options.allKnown, "all-known", false, "everybody in the ledger, without a source")
	option.AddJSON(command, &options.json)
	return command
}

// ReconcileJSON is the output of reconcile --json; the names are a contract.
type ReconcileJSON struct {
	Looked   int              `json:"looked_at"` // users
	Problems map[string]int   `json:"problems"`  // how many users have each problem
	Users    []reconciledUser `json:"users"`     // those with findings, or of whom Gmail did not tell
	Error    *stdio.Failure   `json:"error,omitempty"`
}

// reconciledUser is one user in the JSON of reconcile.
type reconciledUser struct {
	Email    string `json:"email"`
	InSource *bool  `json:"in_source"` // null without a source
	InLedger bool   `json:"in_ledger"`
	// Problem says why Gmail's word is missing.
	Problem  string  `json:"problem,omitempty"`
	Findings []found `json:"findings"`
}

func (o *reconcileOptions) run(ctx context.Context, streams *stdio.Streams, args []string) (err error) {
	s, err := o.open(ctx, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	bar := streams.NewBar()
	defer bar.Close()
	all := s.everybody(ctx)
	if len(args) == 1 {
		note := func(text string) { bar.Note("cse-piv: note: " + text) }
		o.source.AddressesOnly = true
		from, err := o.source.Open(ctx, args[0], streams.In, note)
		if err != nil {
			return err
		}
		people, err := readPeople(ctx, from, bar)
		if err != nil {
			return err
		}
		all = beside(all, people)
	}
	if all, err = s.lookUp(ctx, all); err != nil {
		return err
	}
	answer := ReconcileJSON{Problems: map[string]int{}, Users: []reconciledUser{}}
	for user, err := range s.users(ctx, all, bar.Show) {
		if err != nil {
			return err
		}
		if errors.Is(user.err, context.Canceled) {
			return user.err
		}
		answer.add(user)
	}
	bar.Close()
	if answer.Looked == 0 {
		stdio.Note(streams.Err, hint.ForNobodyKnown())
	}
	var end error
	if len(answer.Users) > 0 {
		end = &failure.FindingsError{Found: len(answer.Users), Total: answer.Looked}
	}
	if o.json {
		answer.Error = streams.FailureOf(end)
		return errors.Join(stdio.JSON(streams.Out, answer), stdio.Told(end))
	}
	return errors.Join(printReconciled(streams.Out, answer), end)
}

// add takes in how a user stands.
func (a *ReconcileJSON) add(user userStatus) {
	a.Looked++
	if len(user.Findings) == 0 && user.Problem == "" {
		return
	}
	one := reconciledUser{Email: user.Email, InLedger: user.Ledger != nil, Problem: user.Problem, Findings: user.Findings}
	if user.facts.Source != status.NoSource {
		in := user.facts.Source == status.InSource
		one.InSource = &in
	}
	a.Users = append(a.Users, one)
	counted := map[status.Problem]bool{}
	for _, finding := range user.Findings {
		if !counted[finding.Problem] {
			counted[finding.Problem] = true
			a.Problems[string(finding.Problem)]++
		}
	}
}

// readPeople reads the addresses of a source, by [ledger.Key]. Rows without one are told, and how far it
// is.
func readPeople(ctx context.Context, from source.Source, bar *progress.Bar) (map[string]string, error) {
	people := map[string]string{}
	for row, err := range from.Rows(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", from.Name(), err)
		}
		if err := enroll.ValidateAddress(row.Email); err != nil {
			if row.Err != nil {
				err = row.Err
			}
			bar.Note("cse-piv: warning: " + fmt.Sprintf("%s: %v", row.Where, err))
			continue
		}
		people[ledger.Key(row.Email)] = row.Email
		bar.Show(progress.Tally{Reading: true, Total: len(people)})
	}
	if len(people) == 0 {
		return nil, &failure.NobodyError{Source: from.Name()}
	}
	return people, nil
}

// beside yields the users of the ledger, each with whether the people have the user, and
// then those of the people who are not in the ledger.
func beside(known iter.Seq2[wanted, error], people map[string]string) iter.Seq2[wanted, error] {
	return func(yield func(wanted, error) bool) {
		seen := map[string]bool{}
		for user, err := range known {
			key := ledger.Key(user.email)
			seen[key] = true
			user.source = status.NotInSource
			if people[key] != "" {
				user.source = status.InSource
			}
			if !yield(user, err) || err != nil {
				return
			}
		}
		for _, key := range sortedKeys(people) {
			if !seen[key] && !yield(wanted{people[key], status.InSource}, nil) {
				return
			}
		}
	}
}

// printReconciled writes each user with what was found, and how many there are of each.
func printReconciled(out io.Writer, answer ReconcileJSON) error {
	for _, user := range answer.Users {
		fmt.Fprintln(out, safetext.Clean(user.Email))
		if user.Problem != "" {
			fmt.Fprintf(out, "  Gmail: %s\n", safetext.Clean(user.Problem))
		}
		for _, finding := range user.Findings {
			fmt.Fprintf(out, "  %s: %s\n    hint: %s\n", finding.Problem, safetext.Clean(finding.Text), safetext.Clean(finding.CommandLine))
		}
	}
	if len(answer.Users) > 0 {
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "%9s  looked at\n", format.Number(answer.Looked))
	for _, problem := range sortedKeys(answer.Problems) {
		fmt.Fprintf(out, "%9s  %s\n", format.Number(answer.Problems[problem]), problem)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
