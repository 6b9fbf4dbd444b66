package cardcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/plain"
	"github.com/cse-piv/cse-piv/internal/prompt"
)

// initOptions is what card init takes.
type initOptions struct {
	cardFlags
	request                 enroll.CardRequest
	escrow                  option.Escrow
	store                   option.Store
	profile                 setting.Profile
	evidence                string
	pin, puk, managementKey *option.Secret
	yes, dryRun             bool
}

// How long a card that is out is waited for.
const (
	timeoutAlone   = 3 * time.Second
	timeoutAtADesk = 10 * time.Minute
)

func newCardInit(streams *stdio.Streams) *cobra.Command {
	var options initOptions
	command := &cobra.Command{
		Use: "init", Short: "Make a card ready for somebody to be enrolled with",
		Long: "init takes a new card through what concerns the card alone: how many tries PIN and PUK have, PIN,\n" +
			"PUK, CHUID and CCC, by which Windows knows it, and the management key. PUK and management key are\n" +
			"generated, and sealed before the card learns them (--escrow-to). No key is made, and nothing is\n" +
			"registered: that is cse-piv enroll.\n\n" +
			"Each step looks first whether it is already done: after a failure or a pulled card run the same\n" +
			"command again and it goes on where it was. The numbers of tries can be set only on a card with the\n" +
			"factory PIN and PUK, because that sets both to the factory ones.",
		RunE: func(cmd *cobra.Command, _ []string) error { return options.run(cmd.Context(), streams) },
	}
	options.add(command, false)
	flags := command.Flags()
	options.escrow.Add(flags)
	options.store.Add(flags)
	flags.StringVar(&options.evidence, "evidence", "", "`folder` that receipts and proofs are kept in")
	setting.Mark(flags, "evidence")
	option.AddNumber(flags, &options.request.PINTries, "pin-tries", 1, 255, "`number` of tries of the PIN, 1 to 255 (default: as the card has it)")
	option.AddNumber(flags, &options.request.PUKTries, "puk-tries", 1, 255, "`number` of tries of the PUK, 1 to 255 (default: as the card has it)")
	flags.BoolVar(&options.request.ProtectManagementKey, "protect-management-key", false, "have the management key stand on the card as well, where the PIN leads to it, as ykman --protect does; it is sealed all the same")
	setting.InProfile(flags, "pin-tries", "puk-tries", "protect-management-key")
	options.profile.Add(flags, true)
	flags.BoolVar(&options.request.NewCard, "new-card", false, "the card is as it left the factory, where its firmware (before 5.3) does not tell")
	option.AddMinPINLength(flags, &options.request.MinPINLength)
	flags.BoolVarP(&options.yes, "yes", "y", false, "ask nothing: what was not given as a flag is an error")
	flags.BoolVar(&options.dryRun, "dry-run", false, "look at everything, print what each step would come to, and change nothing; the exit code is the run's")
	options.pin = option.AddSecret(flags, "pin", "the PIN; a card with the factory PIN gets it")
	options.puk = option.AddSecret(flags, "puk", "the PUK that a card with the factory PUK gets")
	options.managementKey = option.AddSecret(flags, "management-key", "the management key in hexadecimal; a card with the factory one gets it")
	return command
}

func (o *initOptions) run(ctx context.Context, streams *stdio.Streams) error {
	if err := o.profile.CheckChosen(); err != nil {
		return err
	}
	o.profile.Say(streams.Err)
	request, err := o.read(ctx)
	if err != nil {
		return err
	}
	open := o.escrow.Open
	if o.dryRun {
		open = o.escrow.OpenForDryRun
	}
	deps, err := o.dependencies(streams, open)
	if err != nil {
		return err
	}
	if !o.yes && streams.Terminal {
		terminal, err := prompt.Open()
		if err == nil {
			defer terminal.Close()
			deps.Prompter, deps.CardTimeout = terminal, timeoutAtADesk
		}
	}
	if o.dryRun {
		preview, err := enroll.PreviewCard(ctx, deps, request)
		if err != nil {
			return err
		}
		end := preview.Err()
		if o.json {
			return errors.Join(stdio.JSON(streams.Out, streams.NewPreview(preview, end)), stdio.Told(end))
		}
		return errors.Join(plain.Preview(streams.Out, preview), end)
	}
	ready, err := enroll.InitCard(ctx, deps, request)
	if err != nil {
		return err
	}
	if o.json {
		return stdio.JSON(streams.Out, ready)
	}
	return printReady(streams.Out, ready)
}

// read completes the request with the secrets of flags. Its errors are usage errors.
func (o *initOptions) read(ctx context.Context) (request enroll.CardRequest, err error) {
	request = o.request
	request.Serial, request.Profile = o.serial, o.profile.Request()
	if request.PIN, err = o.pin.Read(ctx); err != nil {
		return request, err
	}
	if request.PUK, err = o.puk.Read(ctx); err != nil {
		return request, err
	}
	if request.ManagementKey, err = option.ReadManagementKey(ctx, o.managementKey); err != nil {
		return request, err
	}
	return request, request.Validate()
}

// dependencies builds everything that is worked on but the person who is asked.
func (o *initOptions) dependencies(streams *stdio.Streams, open func() (escrow.Store, func(context.Context, uint32) ([]escrow.Record, error), error)) (deps enroll.Dependencies, err error) {
	for _, of := range []any{o.pin, o.puk, o.managementKey, &o.escrow} {
		stdio.Warnings(streams.Err, of)
	}
	deps = enroll.Dependencies{
		OpenCard: func(ctx context.Context, serial uint32, touch func(piv.Slot)) (enroll.Card, error) {
			opened, err := piv.Open(ctx, serial, piv.Options{OnTouch: touch})
			return enrolled{opened}, err
		},
		WaitForCard: piv.Wait, Operator: program.Operator(), Tool: "cse-piv " + program.Version(),
		Prompter: enroll.Unattended{}, CardTimeout: timeoutAlone, Notify: plain.Progress(streams.Err, false),
	}
	if _, err := o.store.Resolve(); err != nil {
		return deps, err
	}
	deps.NoteCHUID = o.store.NoteCHUID
	if deps.Escrow, deps.Recover, err = open(); err != nil {
		return deps, err
	}
	stdio.Warnings(streams.Err, deps.Escrow)
	deps.Evidence, err = option.FolderOr(o.evidence, "evidence")
	return deps, err
}

// enrolled is a piv.Card as the steps of an enrollment use it.
type enrolled struct{ *piv.Card }

// AllowLastTry returns the card for a holder who agreed to risk the last try.
func (c enrolled) AllowLastTry() enroll.Card { return enrolled{c.Card.AllowLastTry()} }

func printReady(out io.Writer, ready *enroll.ReadyCard) error {
	fmt.Fprintf(out, "card %d is ready: it has its own PIN", ready.Serial)
	if ready.PUKFactory == piv.No {
		fmt.Fprint(out, ", PUK")
	}
	fmt.Fprintln(out, " and management key, a CHUID and a CCC")
	if ready.PINProtected {
		fmt.Fprintln(out, "its PIN leads to the management key")
	}
	if ready.Escrow != nil {
		for _, line := range ready.Escrow.Lines() {
			fmt.Fprintln(out, line)
		}
	}
	_, err := fmt.Fprintf(out, "evidence in %s\n", ready.Evidence)
	return err
}
