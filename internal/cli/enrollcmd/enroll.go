// Package enrollcmd is enroll: one person after the other, in the wizard, line by line
// or with flags alone.
package enrollcmd

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/task"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/plain"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// How long a card that is out is waited for.
const (
	timeoutAlone   = 3 * time.Second // a loose contact comes back by itself
	timeoutAtADesk = 10 * time.Minute
)

// Options is everything that enroll takes.
type Options struct {
	enrollFlags
	Gmail    option.Gmail
	Issuer   option.Issuer
	online   option.Online
	Escrow   option.Escrow
	Trust    option.Trust
	Store    option.Store
	second   task.SecondPerson // for what is done at a desk besides enrollments
	Evidence string
	Roster   string
	Yes      bool
	Plain    bool
	dryRun   bool
	JSON     bool
	events   bool
	bell     bool
	// Practice is the lab's side of the desk in the demo, and persons are its
	// queue where there is no roster.
	Practice practiceDesk
	Persons  []desk.Person
	// printed prints the receipt of one person who was enrolled alone, where that is not
	// all that the command prints.
	printed func(*enroll.Receipt) error
	// enableKeyPair is enroll.Dependencies' for a request with copies.
	enableKeyPair func(ctx context.Context, email, keyPairID string) error
	drawn         bool // the wizard has the terminal, where nobody else can ask
}

// practiceDesk is the lab's side of a desk.
type practiceDesk interface {
	desk.Practice
	// Domain is the lab's only one.
	Domain() string
	// SlowIssuer has the lab's issuer approve requests only when it is told to.
	SlowIssuer(issuer.Issuer) issuer.Issuer
}

// New returns the command enroll.
func New(streams *stdio.Streams) *cobra.Command {
	var options Options
	command := &cobra.Command{
		Use:   "enroll [EMAIL]",
		Short: "Enroll users with their cards: a wizard on a terminal",
		Long: "enroll takes a user and a card through every step: PIN, PUK and management key, a key\n" +
			"generated on the card and attested, its certificate, and the registration at Gmail.\n" +
			"On a terminal it is a full-screen wizard for one person after the other; with --plain, with\n" +
			"CSE_PIV_ACCESSIBLE set, on a dumb terminal or without one it asks line by line; with --yes it\n" +
			"asks nothing.\n\n" +
			"Each step looks first whether it is already done: after a failure, a pulled card or an\n" +
			"interrupt, run the same command again and it goes on where it was.",
		Example: "  cse-piv enroll --roster people.csv --credentials key.json --issuer file --escrow-to age1...\n" +
			"  cse-piv enroll ada@example.com --layout split --algorithm eccp256 --dry-run",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEnroll(cmd.Context(), streams, &options, strings.Join(args, ""))
		},
	}
	flags := command.Flags()
	options.Add(flags)
	options.profile.Add(flags, true)
	options.addSurroundings(flags)
	options.AddFrontEnd(flags)
	options.addRun(flags)
	option.AddJSON(command, &options.JSON)
	return command
}

// addSurroundings adds the flags that say what an enrollment works on.
func (o *Options) addSurroundings(flags *pflag.FlagSet) {
	o.Gmail.Add(flags)
	o.Gmail.AddDirectory(flags)
	o.Issuer.Add(flags)
	o.online.Add(flags, option.RevocationOff)
	o.Escrow.Add(flags)
	o.Trust.Add(flags)
	o.Store.Add(flags)
	flags.StringVar(&o.Evidence, "evidence", "", "`folder` that receipts and proofs are kept in")
	setting.Mark(flags, "evidence")
}

// addRun adds the flags that say how a run goes.
func (o *Options) addRun(flags *pflag.FlagSet) {
	flags.BoolVarP(&o.Yes, "yes", "y", false, "ask nothing: what was not given as a flag is an error")
	flags.BoolVar(&o.dryRun, "dry-run", false, "look at everything, print what each step would come to, and change nothing; the exit code is the run's")
}

// addTelling adds the flags that say how people are told.
func (o *Options) addTelling(flags *pflag.FlagSet) {
	flags.BoolVar(&o.bell, "bell", false, "ring the terminal's bell when the card waits for a touch, and when a certificate has come")
	setting.Mark(flags, "bell")
	flags.BoolVar(&o.events, "events", false, "report progress as JSON lines on standard error, the outcome as with --json")
}

// AddFrontEnd adds the flags that say how people are asked and told.
func (o *Options) AddFrontEnd(flags *pflag.FlagSet) {
	flags.StringVar(&o.Roster, "roster", "", "CSV `file` of the people to enroll: address, serial number of their card or nothing, note; by a heading also in another order, and with names")
	flags.BoolVar(&o.Plain, "plain", false, "ask line by line, on standard input where there is no terminal")
	o.second.Add(flags)
	o.addTelling(flags)
}

func runEnroll(ctx context.Context, streams *stdio.Streams, options *Options, email string) error {
	if email == "" && options.Roster == "" {
		own, err := options.Gmail.OwnAddress(ctx, streams.Err)
		if err != nil {
			return err
		}
		email = own
	}
	if options.Alone() || options.dryRun {
		return RunAlone(ctx, streams, options, email)
	}
	if email != "" {
		if err := enroll.ValidateAddress(email); err != nil {
			return err
		}
	}
	if email != "" && options.Roster != "" {
		return usage.Errorf("an address and --roster exclude each other")
	}
	return RunDesk(ctx, streams, options, email)
}

// Alone reports whether one person is enrolled with what the flags say, and at
// most secrets and losses are asked for.
func (o *Options) Alone() bool { return o.Yes || o.JSON || o.events }

// RunAlone enrolls one person.
func RunAlone(ctx context.Context, streams *stdio.Streams, options *Options, email string) error {
	options.JSON = options.JSON || options.events
	switch {
	case options.Roster != "":
		return usage.Errorf("--roster is for people at a desk: leave out --yes, --json, --events and --dry-run")
	case email == "" && options.dryRun:
		return usage.Errorf("%w", failure.ErrNoAddress)
	}
	if err := errors.Join(options.profile.CheckChosen(), options.Issuer.Check()); err != nil {
		return err
	}
	request, err := options.request(ctx, email)
	if err != nil {
		return err
	}
	if options.replaces == nil && email != "" {
		if begun, err := options.resumeReplacement(ctx, streams, email); begun {
			return err
		}
	}
	return options.carryOut(ctx, streams, request)
}

// carryOut runs the request, or tells what it would come to.
func (o *Options) carryOut(ctx context.Context, streams *stdio.Streams, request enroll.Request) error {
	options, email := o, request.Email
	if options.Yes {
		options.Gmail.Unattended()
	}
	options.Gmail.Expected = email
	if options.dryRun {
		if err := options.checkNewPIN(ctx, request); err != nil {
			return err
		}
		return dryRun(ctx, streams, options, request)
	}
	if err := options.checkComplete(ctx, request); err != nil {
		return err
	}
	notify, messages := options.Progress(streams)
	options.warnOfSecrets(messages)
	domain, err := options.Gmail.Open(ctx, messages)
	if err != nil {
		return err
	}
	deps, err := options.dependencies(ctx, messages, options.Escrow.Open)
	if err != nil {
		return err
	}
	defer options.Issuer.Close()
	if _, err := enterInto(&deps, options.Store); err != nil {
		return err
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) { return domain.User(ctx, email) }
	deps.Notify = notify
	options.profile.Say(messages)
	options.Gmail.SayTargets(messages, []string{email})
	if terminal := options.terminal(streams, messages); terminal != nil {
		defer terminal.Close()
		deps.Prompter, deps.CardTimeout = terminal, timeoutAtADesk
	}
	receipt, err := enroll.Run(ctx, deps, request)
	if err != nil {
		tellHalfDone(messages, deps.Evidence, email, err)
		return err
	}
	switch {
	case options.printed != nil:
		return options.printed(receipt)
	case options.JSON:
		return stdio.JSON(streams.Out, receipt)
	}
	return plain.Receipt(streams.Out, receipt)
}

// Progress returns what tells of events, and where other messages are written.
func (o *Options) Progress(streams *stdio.Streams) (notify func(enroll.Event), messages io.Writer) {
	if o.events {
		notify = plain.JSONProgress(streams.Err)
		return notify, stdio.NoteWriter(notify)
	}
	return plain.Progress(streams.Err, o.bell), streams.Err
}

// openEscrow returns where secrets are sealed, and what reads them back.
type openEscrow func() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error)

// dependencies builds everything that an enrollment works on but Gmail and the person
// who is asked.
func (o *Options) dependencies(ctx context.Context, messages io.Writer, openEscrow openEscrow) (deps enroll.Dependencies, err error) {
	deps = enroll.Dependencies{
		WaitForCard: piv.Wait, EnableKeyPair: o.enableKeyPair, GmailEndpoint: o.Gmail.Foreign(),
		Operator: program.Operator(), Tool: "cse-piv " + program.Version(), Prompter: enroll.Unattended{}, CardTimeout: timeoutAlone,
		OpenCard: func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
			opened, err := piv.Open(ctx, serial, piv.Options{OnTouch: touch})
			if err == nil && o.Gmail.SignsWith(opened.Identity().Serial) {
				err = &failure.SigningCardError{Serial: opened.Identity().Serial}
			}
			return card{opened}, err
		},
	}
	o.Issuer.MayAsk = !o.Yes && !o.drawn
	if deps.Issuer, err = o.Issuer.Open(ctx); err != nil {
		return deps, err
	}
	stdio.Warnings(messages, deps.Issuer)
	stdio.Warnings(messages, &o.Issuer)
	if o.Practice != nil {
		deps.Issuer = o.Practice.SlowIssuer(deps.Issuer)
	}
	if deps.Chain, err = o.Issuer.Certificates(); err != nil {
		return deps, err
	}
	if deps.Sources, err = o.online.Open(messages); err != nil {
		return deps, err
	}
	if deps.Escrow, deps.Recover, err = openEscrow(); err != nil {
		return deps, err
	}
	stdio.Warnings(messages, deps.Escrow)
	if deps.Trust, err = o.Trust.Open(); err != nil {
		return deps, err
	}
	if deps.Evidence, err = option.FolderOr(o.Evidence, "evidence"); err != nil {
		return deps, err
	}
	if warning, _ := durable.WriteWarning(deps.Evidence); warning != "" {
		stdio.Warning(messages, "the evidence folder "+warning)
	}
	return deps, nil
}

// card is a piv.Card as an enrollment uses it.
type card struct{ *piv.Card }

// AllowLastTry returns the card for a holder who agreed to risk the last try.
func (c card) AllowLastTry() enroll.Card { return card{c.Card.AllowLastTry()} }
