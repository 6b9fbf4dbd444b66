package cli

import (
	"context"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/plain"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// How long a card that is out is waited for.
const (
	timeoutAlone   = 3 * time.Second // a loose contact comes back by itself
	timeoutAtADesk = 10 * time.Minute
)

// enrollOptions is everything that enroll takes.
type enrollOptions struct {
	enrollFlags
	gmail    gmailFlags
	issuer   issuerFlags
	online   onlineFlags
	escrow   escrowFlags
	trust    trustFlags
	store    storeFlags
	evidence string
	roster   string
	yes      bool
	plain    bool
	dryRun   bool
	json     bool
	events   bool
	bell     bool
	// practice is the lab's side of the desk in the demo, and persons are its
	// queue where there is no roster.
	practice *practice
	persons  []desk.Person
}

func newEnroll(streams *Streams) *cobra.Command {
	var options enrollOptions
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
	options.add(flags)
	options.gmail.add(flags)
	options.issuer.add(flags)
	options.online.add(flags, revocationOff)
	options.escrow.add(flags)
	options.trust.add(flags)
	options.store.add(flags)
	flags.Lookup("store").Usage = "a ledger that the registration is entered into as well: a `file`, or postgres://HOST/DATABASE that many desks share (default none)"
	flags.StringVar(&options.evidence, "evidence", "", "`folder` that receipts and proofs are kept in")
	environmentFlag(flags, "evidence")
	options.addFrontEnd(flags)
	flags.BoolVarP(&options.yes, "yes", "y", false, "ask nothing: what was not given as a flag is an error")
	flags.BoolVar(&options.dryRun, "dry-run", false, "look at everything, print what each step would come to, and change nothing; the exit code is the run's")
	jsonFlag(command, &options.json)
	return command
}

// addFrontEnd adds the flags that say how people are asked and told.
func (o *enrollOptions) addFrontEnd(flags *pflag.FlagSet) {
	flags.StringVar(&o.roster, "roster", "", "CSV `file` of the people to enroll: address, serial number of their card or nothing, note; by a heading also in another order, and with names")
	flags.BoolVar(&o.plain, "plain", false, "ask line by line, on standard input where there is no terminal")
	flags.BoolVar(&o.bell, "bell", false, "ring the terminal's bell when the card waits for a touch, and when a certificate has come")
	environmentFlag(flags, "bell")
	flags.BoolVar(&o.events, "events", false, "report progress as JSON lines on standard error, the outcome as with --json")
}

func runEnroll(ctx context.Context, streams *Streams, options *enrollOptions, email string) error {
	if options.alone() || options.dryRun {
		return runAlone(ctx, streams, options, email)
	}
	if email != "" {
		if err := enroll.ValidateAddress(email); err != nil {
			return err
		}
	}
	if email != "" && options.roster != "" {
		return usageErrorf("an address and --roster exclude each other")
	}
	return runDesk(ctx, streams, options, email)
}

// alone reports whether one person is enrolled with what the flags say, and at
// most secrets and losses are asked for.
func (o *enrollOptions) alone() bool { return o.yes || o.json || o.events }

// runAlone enrolls one person.
func runAlone(ctx context.Context, streams *Streams, options *enrollOptions, email string) error {
	options.json = options.json || options.events
	switch {
	case options.roster != "":
		return usageErrorf("--roster is for people at a desk: leave out --yes, --json, --events and --dry-run")
	case email == "" && options.dryRun:
		return usageErrorf("%w", errNoAddress)
	}
	if err := options.issuer.check(); err != nil {
		return err
	}
	request, err := options.request(ctx, email)
	if err != nil {
		return err
	}
	if options.dryRun {
		return dryRun(ctx, streams, options, request)
	}
	if err := options.checkComplete(ctx, request); err != nil {
		return err
	}
	notify, messages := options.progress(streams)
	options.warnOfSecrets(messages)
	domain, err := options.gmail.open(messages)
	if err != nil {
		return err
	}
	deps, err := options.dependencies(ctx, messages, options.escrow.open)
	if err != nil {
		return err
	}
	defer options.issuer.close()
	if _, err := enterInto(&deps, options.store); err != nil {
		return err
	}
	deps.Account = func(ctx context.Context, email string) (registration.Account, error) { return domain.User(ctx, email) }
	deps.Notify = notify
	printNote(messages, options.gmail.targetText(domainOf(email)))
	if terminal := options.terminal(streams, messages); terminal != nil {
		defer terminal.Close()
		deps.Prompter, deps.CardTimeout = terminal, timeoutAtADesk
	}
	receipt, err := enroll.Run(ctx, deps, request)
	if err != nil {
		return err
	}
	if options.json {
		return printJSON(streams.Out, receipt)
	}
	return plain.Receipt(streams.Out, receipt)
}

// progress returns what tells of events, and where other messages are written.
func (o *enrollOptions) progress(streams *Streams) (notify func(enroll.Event), messages io.Writer) {
	if o.events {
		notify = plain.JSONProgress(streams.Err)
		return notify, noteWriter(notify)
	}
	return plain.Progress(streams.Err, o.bell), streams.Err
}

// noteWriter makes an event of each message that is written to it, so that all that
// --events writes is JSON.
type noteWriter func(enroll.Event)

func (w noteWriter) Write(message []byte) (int, error) {
	if text := strings.TrimSpace(strings.TrimPrefix(string(message), "cse-piv: ")); text != "" {
		w(enroll.Event{Time: time.Now().UTC(), State: enroll.StateNote, Message: text})
	}
	return len(message), nil
}

// openEscrow returns where secrets are sealed, and what reads them back.
type openEscrow func() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error)

// dependencies builds everything that an enrollment works on but Gmail and the person
// who is asked.
func (o *enrollOptions) dependencies(ctx context.Context, messages io.Writer, openEscrow openEscrow) (deps enroll.Dependencies, err error) {
	deps = enroll.Dependencies{
		WaitForCard: piv.Wait, GmailEndpoint: o.gmail.foreign(),
		Operator: operator(), Tool: "cse-piv " + version(), Prompter: enroll.Unattended{}, CardTimeout: timeoutAlone,
		OpenCard: func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
			opened, err := piv.Open(ctx, serial, piv.Options{OnTouch: touch})
			return card{opened}, err
		},
	}
	o.issuer.mayAsk = !o.yes
	if deps.Issuer, err = o.issuer.open(ctx); err != nil {
		return deps, err
	}
	printWarnings(messages, deps.Issuer)
	printWarnings(messages, &o.issuer)
	if o.practice != nil {
		deps.Issuer = o.practice.slowIssuer(deps.Issuer)
	}
	if deps.Chain, err = o.issuer.certificates(); err != nil {
		return deps, err
	}
	if deps.Sources, err = o.online.open(ctx, messages); err != nil {
		return deps, err
	}
	if deps.Escrow, deps.Recover, err = openEscrow(); err != nil {
		return deps, err
	}
	printWarnings(messages, deps.Escrow)
	if deps.Trust, err = o.trust.open(); err != nil {
		return deps, err
	}
	if deps.Evidence, err = folderOr(o.evidence, "evidence"); err != nil {
		return deps, err
	}
	if warning, _ := durable.WriteWarning(deps.Evidence); warning != "" {
		printWarning(messages, "the evidence folder "+warning)
	}
	return deps, nil
}

// card is a piv.Card as an enrollment uses it.
type card struct{ *piv.Card }

// AllowLastTry returns the card for a holder who agreed to risk the last try.
func (c card) AllowLastTry() enroll.Card { return card{c.Card.AllowLastTry()} }

// operator names who runs this program, for the receipt.
func operator() string {
	name := "unknown"
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
