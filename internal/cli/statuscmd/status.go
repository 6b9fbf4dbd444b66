// Package statuscmd is status and reconcile: how users and cards stand, at Gmail, in the
// ledger and in the reader.
package statuscmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/progress"
)

// statusOptions is everything that status takes.
type statusOptions struct {
	surveyFlags
	allKnown bool
	card     bool
	serial   uint32
	columns  int
	json     bool
}

// soon is from when on before its end a certificate is told to end, unless said otherwise.
const soon = option.Span(60 * 24 * time.Hour)

func (f *surveyFlags) add(command *cobra.Command) {
	flags := command.Flags()
	f.gmail.Add(flags)
	f.store.Add(flags)
	f.rate.Add(flags)
	f.within = soon
	flags.StringVar(&f.evidence, "evidence", "", "`folder` with the evidence of enrollments, which tells what was begun and is not finished")
	setting.Mark(flags, "evidence")
	option.AddSpan(flags, &f.within, "within", "how long before its end a certificate is told to end: `days` or weeks such as 60d or 8w")
}

// New returns the command status.
func New(streams *stdio.Streams) *cobra.Command {
	var options statusOptions
	command := &cobra.Command{
		Use:   "status EMAIL... | --all-known | --card",
		Short: "Show how users stand at Gmail, in the ledger and with their cards, and what to do next",
		Long: "status asks Gmail for users' key pairs and identities, and looks into the ledger and at the cards\n" +
			"in the readers. Of one user it shows everything, of several a row each. With --card it says\n" +
			"whose the inserted card is, its state, and what may be done with it. It changes nothing.\n\n" +
			"A renewal or replacement that was begun and is not finished is told by the evidence on this machine,\n" +
			"or by the card in the reader. Where Gmail does not answer, it says so and shows what the ledger has.",
		Example: "  cse-piv status ada@example.com\n" +
			"  cse-piv status --all-known --json\n" +
			"  cse-piv status --card",
		RunE: func(cmd *cobra.Command, args []string) error {
			return options.run(cmd.Context(), streams, args)
		},
	}
	flags := command.Flags()
	options.add(command)
	flags.BoolVar(&options.allKnown, "all-known", false, "everybody in the ledger")
	flags.BoolVar(&options.card, "card", false, "the card in the reader: whose it is, its state, and what may be done with it")
	option.AddSerial(flags, &options.serial, "`serial` number of the card of --card; needed when there are several")
	option.AddNumber(flags, &options.columns, "columns", 1, option.AnyNumber, "`width` of the table in characters (default the terminal's; where there is none, as wide as it takes)")
	option.AddJSON(command, &options.json)
	return command
}

func (o *statusOptions) run(ctx context.Context, streams *stdio.Streams, emails []string) error {
	ways := 0
	for _, way := range []bool{len(emails) > 0, o.allKnown, o.card} {
		if way {
			ways++
		}
	}
	switch {
	case ways == 0:
		return usage.Errorf("nobody is named: give an address, --all-known or --card")
	case ways > 1:
		return usage.Errorf("give addresses, --all-known or --card, one of them")
	case o.serial != 0 && !o.card:
		return usage.Errorf("--serial goes with --card only")
	case o.card:
		return runCard(ctx, streams, o)
	}
	for _, email := range emails {
		if err := enroll.ValidateAddress(email); err != nil {
			return err
		}
	}
	return o.users(ctx, streams, emails)
}

// users shows how users stand: those that are named, or everybody in the ledger.
func (o *statusOptions) users(ctx context.Context, streams *stdio.Streams, emails []string) (err error) {
	o.rate.TellRetries = !o.allKnown
	o.gmail.Expect(emails...)
	s, err := o.open(ctx, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.readCards(ctx, streams.Err); err != nil {
		return err
	}
	all, show, closeBar := s.everybody(ctx), func(progress.Tally) {}, func() {}
	if o.allKnown {
		bar := streams.NewBar()
		show, closeBar = bar.Show, bar.Close
	} else {
		all = named(emails)
	}
	users := []userStatus{}
	var problem error
	failed := 0
	for user, err := range s.users(ctx, all, show) {
		if err != nil {
			return err
		}
		if errors.Is(user.err, context.Canceled) {
			return user.err
		}
		if user.err != nil {
			if failed++; failed == 1 {
				problem = user.err
			}
		}
		users = append(users, user)
	}
	closeBar()
	if o.allKnown && failed > 0 && failed < len(users) {
		problem = &failure.UsersError{Failed: failed, Total: len(users), What: "user"}
	}
	if len(users) == 0 {
		stdio.Note(streams.Err, hint.ForNobodyKnown())
	}
	switch {
	case o.json:
		return errors.Join(stdio.JSON(streams.Out, StatusJSON{users, streams.FailureOf(problem)}), stdio.Told(problem))
	case len(users) == 0:
		_, err := fmt.Fprintln(streams.Out, "nobody is known: the ledger has nobody yet")
		return err
	case len(emails) == 1:
		return errors.Join(printUser(streams.Out, users[0]), problem)
	}
	columns := o.columns
	if width := stdio.Columns(streams.Out); columns == 0 && width != nil {
		columns = width()
	}
	return errors.Join(printTable(streams.Out, users, columns), problem)
}

// named yields users by their addresses.
func named(emails []string) iter.Seq2[wanted, error] {
	return func(yield func(wanted, error) bool) {
		for _, email := range emails {
			if !yield(wanted{email: email}, nil) {
				return
			}
		}
	}
}
