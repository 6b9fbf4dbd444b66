package cli

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/plain"
)

// How long a card that is out is waited for.
const (
	patienceAlone   = 3 * time.Second // a loose contact comes back by itself
	patienceAtADesk = 10 * time.Minute
)

// enrollOptions is everything that enroll takes.
type enrollOptions struct {
	enrollFlags
	gmail    gmailFlags
	issuer   issuerFlags
	escrow   escrowFlags
	trust    trustFlags
	evidence string
	yes      bool
	plain    bool
	dryRun   bool
	json     bool
	events   bool
}

func newEnroll(streams *Streams) *cobra.Command {
	var options enrollOptions
	command := &cobra.Command{
		Use:   "enroll EMAIL",
		Short: "Enroll one user with one card",
		Long: "enroll takes one user and one card through every step: PIN, PUK and management key, a key\n" +
			"generated on the card and attested, its certificate, and the registration at Gmail.\n" +
			"Each step looks first whether it is already done: after a failure, a pulled card or an\n" +
			"interrupt, run the same command again and it goes on where it was.",
		Example: "  cse-piv enroll ada@example.com --credentials key.json --issuer file --escrow-to age1...\n" +
			"  cse-piv enroll ada@example.com --layout split --algorithm eccp256 --dry-run",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEnroll(cmd.Context(), streams, &options, args[0])
		},
	}
	flags := command.Flags()
	options.add(flags)
	options.gmail.add(flags)
	options.issuer.add(flags)
	options.escrow.add(flags)
	options.trust.add(flags)
	flags.StringVar(&options.evidence, "evidence", "", "`folder` that receipts and proofs are kept in")
	environmentFlag(flags, "evidence")
	flags.BoolVarP(&options.yes, "yes", "y", false, "ask nothing: what was not given as a flag is an error")
	flags.BoolVar(&options.plain, "plain", false, "ask line by line, on standard input where there is no terminal")
	flags.BoolVar(&options.dryRun, "dry-run", false, "print the steps and change nothing")
	flags.BoolVar(&options.events, "events", false, "report progress as JSON lines on standard error")
	jsonFlag(command, &options.json)
	return command
}

func runEnroll(ctx context.Context, streams *Streams, options *enrollOptions, email string) error {
	request, err := options.request(email)
	if err != nil {
		return err
	}
	if options.dryRun {
		return printPlan(streams, request, options.json)
	}
	world, done, err := options.world(streams)
	if err != nil {
		return err
	}
	defer done()
	receipt, err := enroll.Run(ctx, world, request)
	if err != nil {
		return err
	}
	if options.json {
		return printJSON(streams.Out, receipt)
	}
	return printReceipt(streams.Out, receipt)
}

// world builds everything that the enrollment works on; done gives it back.
func (o *enrollOptions) world(streams *Streams) (world enroll.World, done func(), err error) {
	progress := plain.Progress(streams.Err)
	if o.events {
		progress = plain.JSONProgress(streams.Err)
	}
	domain, err := o.gmail.open(streams.Err)
	if err != nil {
		return world, nil, err
	}
	world = enroll.World{
		WaitForCard: piv.Wait,
		Operator:    operator(), Tool: "cse-piv " + version(), Notify: progress, Prompter: enroll.Unattended{}, Patience: patienceAlone,
		OpenCard: func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
			opened, err := piv.Open(ctx, serial, piv.Options{OnTouch: touch})
			return card{opened}, err
		},
		Account: func(ctx context.Context, email string) (enroll.Account, error) { return domain.User(ctx, email) },
	}
	if world.Issuer, err = o.issuer.open(); err != nil {
		return world, nil, err
	}
	printWarnings(streams.Err, world.Issuer)
	if world.Chain, err = o.issuer.certificates(); err != nil {
		return world, nil, err
	}
	if world.Escrow, world.Recover, err = o.escrow.open(); err != nil {
		return world, nil, err
	}
	printWarnings(streams.Err, world.Escrow)
	if world.Trust, err = o.trust.open(); err != nil {
		return world, nil, err
	}
	if world.Evidence, err = folderOr(o.evidence, "evidence"); err != nil {
		return world, nil, err
	}
	done = func() {}
	if terminal := o.terminal(streams); terminal != nil {
		world.Prompter, world.Patience = terminal, patienceAtADesk
		done = func() { terminal.Close() }
	}
	return world, done, nil
}

// card is a piv.Card as an enrollment uses it.
type card struct{ *piv.Card }

// AllowLastTry returns the card for a holder who agreed to risk the last try.
func (c card) AllowLastTry() enroll.Card { return card{c.Card.AllowLastTry()} }

// terminal returns where a person can be asked, nil for nowhere.
func (o *enrollOptions) terminal(streams *Streams) *plain.Terminal {
	if o.yes {
		return nil
	}
	if streams.Terminal {
		if terminal, err := plain.OpenTerminal(); err == nil {
			return terminal
		}
	}
	if o.plain {
		return plain.NewPipe(streams.In, streams.Err)
	}
	return nil
}

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

func printPlan(streams *Streams, request enroll.Request, asJSON bool) error {
	type planned struct {
		Step    string `json:"step"`
		Title   string `json:"title"`
		Slot    string `json:"slot,omitempty"`
		Changes string `json:"changes"`
	}
	steps := []planned{}
	for _, step := range enroll.NewPlan(request) {
		steps = append(steps, planned{step.ID, step.Title, step.Slot, step.Changes})
	}
	if asJSON {
		return printJSON(streams.Out, struct {
			User  string    `json:"user"`
			Steps []planned `json:"steps"`
		}{request.Email, steps})
	}
	rows := newTable(streams.Out, "", "STEP", "CHANGES")
	for i, step := range steps {
		rows.row(fmt.Sprintf("%2d", i+1), step.Title, step.Changes)
	}
	return rows.flush()
}
