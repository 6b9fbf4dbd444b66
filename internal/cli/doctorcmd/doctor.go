// Package doctorcmd is doctor: what is missing on this machine, in the credentials and in
// the domain.
package doctorcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/check"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// options is everything that doctor takes.
type options struct {
	gmail    option.Gmail
	issuer   option.Issuer
	escrow   option.Escrow
	trust    option.Trust
	store    option.Store
	profile  setting.Profile
	evidence string
	serial   uint32
	json     bool
}

// New returns the command doctor.
func New(streams *stdio.Streams) *cobra.Command {
	var options options
	command := &cobra.Command{
		Use:   "doctor [EMAIL]",
		Short: "Look what is missing on this machine, in the credentials and in the domain",
		Long: "doctor makes the checks that a desk makes at its start, and those of the card in the reader, side\n" +
			"by side: one line each, ok, warning, failed or skipped, and what to do. With the address of a user\n" +
			"it asks Gmail for what that user has. It changes nothing, asks nobody to log in and tries no PIN but\n" +
			"that of --key-pin-file; in folders it writes a file and takes it away again, to see that it can.\n\n" +
			"Exit code 0: nothing failed. Otherwise it is that of the first check that failed, as any command\n" +
			"would end with: 4 credentials, 5 card or reader, 6 PIN blocked, 1 or 2 others.",
		Example: "  cse-piv doctor\n" +
			"  cse-piv doctor ada@example.com --json",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			email := ""
			if len(args) == 1 {
				email = args[0]
			}
			return options.run(cmd.Context(), streams, cmd, email)
		},
	}
	flags := command.Flags()
	options.gmail.Add(flags)
	options.gmail.AddDirectory(flags)
	options.issuer.Add(flags)
	options.escrow.Add(flags)
	options.trust.Add(flags)
	options.store.Add(flags)
	options.profile.Add(flags, true)
	flags.StringVar(&options.evidence, "evidence", "", "`folder` for the evidence of enrollments")
	setting.Mark(flags, "evidence")
	option.AddSerial(flags, &options.serial, "`serial` number of the card; needed when there are several")
	option.AddJSON(command, &options.json)
	return command
}

func (o *options) run(ctx context.Context, streams *stdio.Streams, command *cobra.Command, email string) error {
	if email != "" {
		if err := enroll.ValidateAddress(email); err != nil {
			return err
		}
	}
	if o.escrow.Plain && len(o.escrow.To) > 0 {
		return usage.Errorf("--escrow-to and --escrow-plain exclude each other")
	}
	if err := o.gmail.CheckDirectory(); err != nil {
		return err
	}
	o.gmail.AskNobody()
	o.gmail.MaxTries = 3 // a look does not wait as long as a run
	setup := check.Setup{
		Email: email, Domain: sync.OnceValues(func() (*gmail.Domain, error) {
			config, err := o.gmail.Config(ctx, io.Discard)
			if err != nil {
				return nil, err
			}
			return gmail.Open(config)
		}),
		Gmail: &o.gmail, Serial: o.serial, Issuer: &o.issuer, Escrow: &o.escrow, Trust: &o.trust, Store: o.store,
		Evidence: o.evidence, Flags: command.Flags(),
	}
	if chosen := o.profile.Chosen(); chosen != nil {
		setup.Profile = chosen.Line()
	}
	setup.Profiles = o.profile.Choices()
	checks, err := check.Finish(ctx, setup.Checks())
	if err != nil {
		return err
	}
	end := verdict(checks)
	if o.json {
		return errors.Join(stdio.JSON(streams.Out, newJSON(streams, email, checks, end)), stdio.Told(end))
	}
	return errors.Join(print(streams.Out, checks, o.gmail.GivesPIN()), end)
}

// verdict returns the error that the checks come to; nil where none failed.
func verdict(checks []desk.Check) error {
	end := failure.ChecksError{Total: len(checks)}
	for _, check := range checks {
		if check.State != desk.CheckFailed {
			continue
		}
		if end.Failed++; end.Failed == 1 {
			end.Name, end.Err = check.Name, check.Err
		}
	}
	if end.Failed == 0 {
		return nil
	}
	return &end
}

// print writes a line for each check, and below it what to do.
func print(out io.Writer, checks []desk.Check, givesPIN bool) error {
	width := 0
	for _, check := range checks {
		width = max(width, len(check.Name))
	}
	for _, check := range checks {
		if _, err := fmt.Fprintf(out, "%-7s  %-*s  %s\n", check.State, width, check.Name, safetext.Clean(check.Detail)); err != nil {
			return err
		}
		if check.Fix != "" {
			if _, err := fmt.Fprintf(out, "%*s-> %s\n", len("warning")+width+4, "", safetext.Clean(check.Fix)); err != nil {
				return err
			}
		}
	}
	end := "nothing was changed, and no PIN was tried"
	if givesPIN {
		end = "nothing was changed, and no PIN was tried but the one that was given for the service account's card"
	}
	_, err := fmt.Fprintln(out, end)
	return err
}
