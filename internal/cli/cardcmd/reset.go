package cardcmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// ResetJSON is the output of card reset --json; the names are a contract.
type ResetJSON struct {
	Serial uint32   `json:"serial"`
	DryRun bool     `json:"dry_run"`
	Lost   []string `json:"lost"` // what the card loses, a sentence each
	// Stays is what a reset leaves: the attestation key and its certificate.
	Stays string `json:"stays"`
	// Reset says that the card is as it left the factory.
	Reset bool `json:"reset"`
}

// resetOptions is what card reset takes.
type resetOptions struct {
	cardFlags
	store           option.Store
	escrow          string
	evidence        string
	confirm, reason string
	dryRun          bool
}

func newCardReset(streams *stdio.Streams) *cobra.Command {
	var options resetOptions
	command := &cobra.Command{
		Use: "reset", Short: "Bring a card back to as it left the factory",
		Long: "reset takes every key and certificate from the card for ever, and sets PIN, PUK and management\n" +
			"key to the factory ones. The key that attests and its certificate (slot f9) stay. It says what is\n" +
			"lost, and whose it is, and has the card's serial number typed, or passed as --confirm.\n\n" +
			"A card is reset only with PIN and PUK blocked, so they are blocked first, as ykman does: if the\n" +
			"card is pulled in between, run the same command again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return options.use(cmd.Context(), func(card *piv.Card) error { return options.run(cmd.Context(), streams, card) })
		},
	}
	options.add(command, false)
	flags := command.Flags()
	options.store.Add(flags)
	options.store.AddWait(flags)
	flags.StringVar(&options.escrow, "escrow-dir", "", "`folder` of the escrow")
	setting.Mark(flags, "escrow-dir")
	flags.StringVar(&options.evidence, "evidence", "", "`folder` that receipts and proofs are kept in, where the reset is noted")
	setting.Mark(flags, "evidence")
	flags.StringVar(&options.confirm, "confirm", "", "the card's `serial`, to agree to what is lost without being asked")
	flags.StringVar(&options.reason, "reason", "", "why, for the ledger: a short `text`")
	flags.BoolVar(&options.dryRun, "dry-run", false, "say what would be lost, and change nothing")
	return command
}

func (o *resetOptions) run(ctx context.Context, streams *stdio.Streams, card *piv.Card) (err error) {
	folder, err := option.FolderOr(o.escrow, "escrow")
	if err != nil {
		return err
	}
	proofs, err := option.FolderOr(o.evidence, "evidence")
	if err != nil {
		return err
	}
	reset := maintenance.Reset{Card: card, Escrow: folder}
	losses, err := reset.Losses(ctx)
	if err != nil {
		return err
	}
	known, err := o.onCard(ctx, losses.Serial)
	if err != nil {
		return err
	}
	out := ResetJSON{Serial: losses.Serial, DryRun: o.dryRun, Lost: describe.ResetLosses(losses, known), Stays: describe.ResetStays, Reset: losses.Nothing}
	if o.dryRun {
		return o.print(streams, out)
	}
	if !losses.Nothing {
		_ = card.Release(ctx) // while a person reads and types
		question := enroll.Question{Text: fmt.Sprintf("card %d is reset: %s", losses.Serial, describe.ResetStays), Loss: out.Lost}
		if err := option.Confirm(ctx, streams, o.confirm, strconv.FormatUint(uint64(losses.Serial), 10), question); err != nil {
			return err
		}
	}
	book, err := o.store.Open(ctx, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	err = recorded(ctx, book, known, ledger.Action{Verb: "card reset", Object: fmt.Sprintf("card %d", losses.Serial), Reason: o.reason}, func() error {
		if err := reset.Run(ctx); err != nil {
			return err
		}
		// The card is empty now: each is told, whatever becomes of the other.
		if err := errors.Join(evidence.NoteReset(proofs, losses.Serial, time.Now()), erased(ctx, book, known, o.reason)); err != nil {
			return fmt.Errorf("the card was reset, and that is not written down everywhere: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Reset = true
	return o.print(streams, out)
}

// onCard lists what the ledger knows of the card, whose ever it is; nothing where there is none.
func (o *resetOptions) onCard(ctx context.Context, serial uint32) (known []ledger.CardCertificate, err error) {
	book, err := o.store.OpenReadOnly(ctx)
	if missing := (*ledger.MissingError)(nil); errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	return book.OnCard(ctx, serial)
}

func (o *resetOptions) print(streams *stdio.Streams, out ResetJSON) error {
	if o.json {
		return stdio.JSON(streams.Out, out)
	}
	if out.DryRun {
		for _, lost := range out.Lost {
			fmt.Fprintln(streams.Out, "lost:", lost)
		}
		fmt.Fprintln(streams.Out, describe.ResetStays)
		return nil
	}
	fmt.Fprintf(streams.Out, "card %d is as it left the factory\n", out.Serial)
	return nil
}

// recorded does something to a card that is in the ledger before it begins, and what came of it
// afterwards; for each of the users whose card it is, or for nobody.
func recorded(ctx context.Context, book *ledger.Ledger, known []ledger.CardCertificate, action ledger.Action, do func() error) error {
	action.Operator = program.Operator()
	users := map[string]bool{}
	for _, one := range known {
		if one.State == ledger.CardInUse {
			users[one.Email] = true
		}
	}
	if len(users) == 0 {
		users[""] = true
	}
	var ids []int64
	for email := range users {
		action.Email = email
		id, err := book.BeginAction(ctx, action)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	failed := do()
	outcome, message := ledger.OutcomeDone, ""
	if failed != nil {
		outcome, message = ledger.OutcomeFailed, failed.Error()
	}
	for _, id := range ids {
		if err := book.EndAction(ctx, id, outcome, message); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// erased enters that a card holds none of its certificates any more.
func erased(ctx context.Context, book *ledger.Ledger, known []ledger.CardCertificate, reason string) error {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	changed := make([]ledger.CardCertificate, 0, len(known))
	for _, one := range known {
		if one.State == ledger.CardInUse || one.State == ledger.CardSuperseded {
			one.State, one.Reason = ledger.CardErased, reason
			changed = append(changed, one)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return book.RecordCards(ending, changed)
}
