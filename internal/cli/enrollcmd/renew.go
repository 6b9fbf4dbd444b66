package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// NewRenew returns the command renew.
func NewRenew(streams *stdio.Streams) *cobra.Command {
	var options Options
	command := &cobra.Command{
		Use:   "renew EMAIL | --roster FILE",
		Short: "Renew the certificate of who is enrolled, before it ends",
		Long: "renew gives an enrolled user a new key with a new certificate, on the same card, and has Gmail\n" +
			"use it. The old key pair stays enabled at Gmail, and from firmware 5.7 the old key moves to a retired\n" +
			"slot (82 to 95) with its certificate, so that old mail stays readable with the card. Before 5.7 a card\n" +
			"cannot move a key: the new one would take its place, which needs --confirm SERIAL; --same-key keeps it\n" +
			"and gets a new certificate for it.\n\n" +
			"What was begun is gone on with: after a failure, a pulled card or an interrupt, run the same command\n" +
			"again. Once it is finished, the same command changes nothing: what is valid for more than 60 days is\n" +
			"not renewed. --before names another number of days.\n\n" +
			"With --roster it is a desk, as enroll is: the queue lists those of the people whose certificates end\n" +
			"within --before, by the ledger or, of people who are not in it, by Gmail.",
		Example: "  cse-piv renew ada@example.com --issuer file --escrow-identity key.txt\n" +
			"  cse-piv renew ada@example.com --same-key --dry-run",
		RunE: func(cmd *cobra.Command, args []string) error {
			return options.renew(cmd.Context(), streams, strings.Join(args, ""))
		},
	}
	flags := command.Flags()
	options.addRenewal(flags)
	options.profile.Add(flags, false)
	options.addSurroundings(flags)
	options.AddFrontEnd(flags)
	flags.Lookup("roster").Usage = "CSV `file` of people, of whom those are renewed whose certificates end within --before: address, serial number of their card or nothing, note"
	options.addRun(flags)
	option.AddJSON(command, &options.JSON)
	return command
}

// renew renews what one person is enrolled with. Where nothing is due it says so.
func (o *Options) renew(ctx context.Context, streams *stdio.Streams, email string) error {
	o.JSON = o.JSON || o.events
	o.overwrite, o.renewal = o.confirm != "", enroll.RenewNewKey
	if o.sameKey {
		o.renewal = enroll.RenewSameKey
	}
	if email == "" && o.Roster != "" && !o.Alone() && !o.dryRun {
		return RunDesk(ctx, streams, o, "")
	}
	switch {
	case o.Roster != "":
		return usage.Errorf("--roster is for people at a desk: leave out the address, --yes, --json, --events and --dry-run")
	case email == "":
		return usage.Errorf("%w", failure.ErrNoAddress)
	}
	if err := o.Issuer.Check(); err != nil {
		return err
	}
	request, err := o.request(ctx, email)
	if err != nil {
		return err
	}
	request.Renew, request.RenewWithin = o.renewal, time.Duration(o.before)
	err = o.carryOut(ctx, streams, request)
	if early, found := errors.AsType[*enroll.NotDueError](err); found {
		return tellNotDue(streams, o.JSON, early)
	}
	return err
}

// NotDueJSON is the output of renew where nothing is renewed yet; the names are a contract.
type NotDueJSON struct {
	Email    string    `json:"email"`
	Due      bool      `json:"due"`       // false
	NotAfter time.Time `json:"not_after"` // of the certificate that ends first
}

func tellNotDue(streams *stdio.Streams, asJSON bool, early *enroll.NotDueError) error {
	if asJSON {
		return stdio.JSON(streams.Out, NotDueJSON{Email: early.Email, NotAfter: early.NotAfter.UTC()})
	}
	if _, err := fmt.Fprintln(streams.Out, safetext.Clean(early.Error())); err != nil {
		return err
	}
	stdio.Note(streams.Err, streams.Hint(early))
	return nil
}
