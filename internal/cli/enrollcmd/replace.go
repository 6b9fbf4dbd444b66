package enrollcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/terminationcmd"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// replaceOptions is everything that replace takes.
type replaceOptions struct {
	Options
	reason string
	end    terminationcmd.Flags
	old    oldKeys
	// resumed says that it is enroll that goes on with what was begun.
	resumed bool
}

// ReplacedJSON is the output of replace; the names are a contract.
type ReplacedJSON struct {
	Enrollment *enroll.Receipt          `json:"enrollment"` // of the new card; null where it failed
	Ended      []*terminationcmd.Result `json:"ended"`      // the cards whose use ends
	// Imported are the copies of old keys that the new card got (--p12).
	Imported []maintenance.Imported `json:"imported,omitempty"`
	Error    *stdio.Failure         `json:"error,omitempty"`
}

// replaceReasons are those with which another card takes the place of one.
func replaceReasons() (names []string) {
	for _, reason := range termination.ReplaceReasons() {
		names = append(names, string(reason))
	}
	return names
}

// NewReplace returns the command replace.
func NewReplace(streams *stdio.Streams) *cobra.Command {
	var options replaceOptions
	command := &cobra.Command{
		Use: "replace EMAIL", Short: "Give a user another card: enroll it, and end the use of the one before",
		Long: "replace enrolls the card in the reader as enroll does, with the same flags; Gmail moves to it from the\n" +
			"card that the user has now. The reason decides what becomes of the former card: of a lost or stolen\n" +
			"one the key pairs are disabled, else they stay enabled, so that old mail stays readable with it. A\n" +
			"local CA revokes the certificates of a lost or stolen card, and those of a former name; of others it\n" +
			"is said whom to ask. Nothing is obliterated. What will be is said first, and agreed to.\n" +
			"With --p12 the new card gets copies of old keys, imported and never attested, and reads old mail\n" +
			"with them: their key pairs at Gmail stay enabled, or are enabled again.\n\n" +
			"After a failure, a pulled card, a wait or an interrupt, run the same command again, or enroll: it goes on\n" +
			"where it was, for the reason that was given, and asks for nothing that was agreed to. Another reason\n" +
			"counts from then on.",
		Example: "  cse-piv replace ada@example.com --reason lost --issuer file --escrow-to age1...\n" +
			"  cse-piv replace ada@example.com --reason broken --yes --pin-file pin --issuer file --escrow-to age1...",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runReplace(cmd.Context(), streams, &options, args[0])
		},
	}
	flags := command.Flags()
	options.Add(flags)
	options.profile.Add(flags, true)
	flags.Lookup("replace-card").Hidden = true // that is what the command does
	options.addSurroundings(flags)
	flags.BoolVar(&options.Plain, "plain", false, "ask line by line, on standard input where there is no terminal")
	options.addTelling(flags)
	options.addRun(flags)
	option.AddJSON(command, &options.JSON)
	option.AddChoice(flags, &options.reason, "reason", "why: a `reason`", replaceReasons()...)
	options.end.AddTermination(command, "confirm-end")
	options.old.add(flags)
	return command
}

func runReplace(ctx context.Context, streams *stdio.Streams, options *replaceOptions, email string) error {
	if err := enroll.ValidateAddress(email); err != nil {
		return err
	}
	if options.reason == "" {
		earlier, err := options.earlier(email)
		if err != nil {
			return err
		}
		if earlier.Replaces == nil {
			return usage.Errorf("--reason is missing, which decides what becomes of the former card: %s", strings.Join(replaceReasons(), ", "))
		}
		options.serial, options.reason = earlier.Serial, string(earlier.Replaces.Reason)
	}
	if err := options.profile.CheckChosen(); err != nil { // its issuer revokes
		return err
	}
	options.end.Gmail, options.end.Store = options.Gmail, options.Store
	options.end.CACert, options.end.CAKey = options.Issuer.LocalCA()
	if err := options.end.Check(); err != nil {
		return err
	}
	if err := options.old.read(ctx, streams.Err); err != nil {
		return err
	}
	options.replaces = &enroll.Replacement{Reason: termination.Reason(options.reason), KeyPairs: options.end.KeyPairs(), Note: options.end.Note()}
	return options.run(ctx, streams, email)
}

// run replaces the user's card, or goes on with that.
func (o *replaceOptions) run(ctx context.Context, streams *stdio.Streams, email string) error {
	ask := option.Asker{Streams: streams}
	defer ask.Close()
	former, plans, err := o.look(ctx, &ask, email)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		for _, line := range plan.Effects {
			stdio.Note(streams.Err, line)
		}
	}
	o.old.say(streams.Err)
	o.copies, o.enableKeyPair = o.old.entries, o.enablePair
	// At a desk an enrollment asks whether Gmail moves, unless somebody agrees here to more than that.
	o.endsFormer = terminationcmd.Risky(plans)
	o.replaceCard = o.Alone() || o.dryRun || o.endsFormer
	if o.dryRun {
		return runEnroll(ctx, streams, &o.Options, email)
	}
	if err := o.agree(ctx, &ask, email, former, plans); err != nil {
		return err
	}
	ask.Close() // the enrollment asks at the terminal itself
	if !o.Alone() {
		return runEnroll(ctx, streams, &o.Options, email) // the desk ends what the card takes the place of
	}
	return o.carry(ctx, streams, email, former)
}

// resumeReplacement goes on with a replacement that enroll finds begun with the card, and reports
// whether there is one. What cannot be read of it the enrollment tells.
func (o *Options) resumeReplacement(ctx context.Context, streams *stdio.Streams, email string) (bool, error) {
	r := &replaceOptions{Options: *o, end: o.termination(), resumed: true}
	earlier, err := r.earlier(email)
	if err != nil || earlier.Replaces == nil || r.findCard(ctx) != nil || r.serial != earlier.Serial {
		return false, nil
	}
	r.replaces = earlier.Replaces
	stdio.Note(streams.Err, fmt.Sprintf("card %d takes the place of another one (%s): that was begun, and goes on", r.serial, earlier.Replaces.Reason))
	return true, r.run(ctx, streams, email)
}

// look finds the cards that the new one takes the place of, and plans the end of their use. What was
// said when that was begun counts, unless another reason is given now.
func (o *replaceOptions) look(ctx context.Context, ask *option.Asker, email string) ([]termination.Request, []*terminationcmd.Result, error) {
	if err := o.findCard(ctx); err != nil {
		return nil, nil, err
	}
	earlier, err := o.earlier(email)
	if err != nil {
		return nil, nil, err
	}
	o.resume(ask.Streams.Err, earlier.Replaces)
	former, err := o.formerCards(ctx, ask.Streams.Err, email)
	if err != nil {
		return nil, nil, err
	}
	o.replaces.Cards = nil
	for _, request := range former {
		if request.Serial != 0 {
			o.replaces.Cards = append(o.replaces.Cards, request.Serial)
		}
	}
	plans, err := o.end.Look(ctx, ask.Streams, "replace", former)
	return former, plans, err
}

// resume has what was said count when the replacement was begun; nil was none.
func (o *replaceOptions) resume(messages io.Writer, begun *enroll.Replacement) {
	replaces := *o.replaces
	o.replaces = &replaces
	switch {
	case begun == nil:
	case begun.Reason != replaces.Reason:
		stdio.Note(messages, fmt.Sprintf("the replacement was begun with the reason %s: it goes on with %s", begun.Reason, replaces.Reason))
	default:
		replaces.KeyPairs, replaces.Note = cmp.Or(replaces.KeyPairs, begun.KeyPairs), cmp.Or(replaces.Note, begun.Note)
		replaces.Agreed = append(slices.Clone(begun.Agreed), replaces.Agreed...)
	}
	slices.Sort(replaces.Agreed)
	replaces.Agreed = slices.Compact(replaces.Agreed)
	o.end.Continue(replaces.KeyPairs, replaces.Note, replaces.Agreed)
}

// agree has a person agree to the end of their use. Its error is a *[registered.ChangedError] where
// somebody else changed meanwhile which they are.
func (o *replaceOptions) agree(ctx context.Context, ask *option.Asker, email string, former []termination.Request, plans []*terminationcmd.Result) error {
	if err := o.end.Agree(ctx, ask, "replace", plans); err != nil {
		return err
	}
	for _, change := range terminationcmd.Risks(plans) {
		if !slices.Contains(o.replaces.Agreed, change) {
			o.replaces.Agreed = append(o.replaces.Agreed, change)
		}
	}
	now, err := o.formerCards(ctx, io.Discard, email)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(now, former, func(a, b termination.Request) bool { return a.Serial == b.Serial }) {
		return &registered.ChangedError{}
	}
	return nil
}

// endFormer ends the use of the former cards, once the user is enrolled with the new one, and writes
// down that it has ended.
func (o *replaceOptions) endFormer(ctx context.Context, streams *stdio.Streams, email string, former []termination.Request) ([]*terminationcmd.Result, error) {
	results, err := o.end.Look(ctx, streams, "replace", former)
	if err == nil {
		err = terminationcmd.Moved(results)
	}
	if err == nil {
		err = o.end.Carry(ctx, streams, results)
	}
	if err != nil || len(results) > 0 && terminationcmd.EndOf(results) != nil {
		return results, err
	}
	folder, err := option.FolderOr(o.Evidence, "evidence")
	if err != nil {
		return results, err
	}
	return results, enroll.EndReplacement(ctx, folder, email, o.serial, time.Now())
}

// carry enrolls the new card, and ends the use of the former ones.
func (o *replaceOptions) carry(ctx context.Context, streams *stdio.Streams, email string, former []termination.Request) error {
	outcome := ReplacedJSON{Ended: []*terminationcmd.Result{}}
	if o.JSON || o.events {
		o.printed = func(receipt *enroll.Receipt) (err error) {
			outcome.Enrollment = receipt
			outcome.Imported, err = imported(receipt)
			return err
		}
	}
	if err := runEnroll(ctx, streams, &o.Options, email); err != nil {
		return err
	}
	results, err := o.endFormer(ctx, streams, email, former)
	if err != nil {
		return err
	}
	if !o.events {
		for _, text := range o.oldMail(ctx, results) {
			stdio.Note(streams.Err, text)
		}
	}
	end := terminationcmd.EndOf(results)
	switch {
	case o.printed == nil:
		return errors.Join(terminationcmd.Print(streams.Out, results), end)
	case o.resumed && end != nil:
		return end
	case o.resumed: // of enroll, whose output is the receipt
		return stdio.JSON(streams.Out, outcome.Enrollment)
	}
	outcome.Ended, outcome.Error = append(outcome.Ended, results...), streams.FailureOf(end)
	return errors.Join(stdio.JSON(streams.Out, outcome), stdio.Told(end))
}

// oldMail says how old mail is read with the new card; nothing where it has copies of the old keys.
func (o *replaceOptions) oldMail(ctx context.Context, results []*terminationcmd.Result) []string {
	switch {
	case len(o.old.entries) > 0:
		return nil
	case len(o.old.begun) == 0:
		return terminationcmd.OldMail(results)
	}
	if missing := o.old.missing(ctx, o.serial); missing > 0 {
		return []string{hint.ForMissingCopies(o.serial, missing)}
	}
	return nil
}

// findCard finds the card that is enrolled, where none was named.
func (o *replaceOptions) findCard(ctx context.Context) error {
	if o.serial != 0 {
		return nil
	}
	return option.UseCard(ctx, 0, func(card *piv.Card) error {
		o.serial = card.Identity().Serial
		return nil
	})
}

// earlier reads what an earlier run with the card began, or for no card the newest with any.
func (o *replaceOptions) earlier(email string) (enroll.Earlier, error) {
	folder, err := option.FolderOr(o.Evidence, "evidence")
	if err != nil {
		return enroll.Earlier{}, err
	}
	earlier, err := enroll.ReadEarlier(folder, email, o.serial)
	if none := (*enroll.NoEvidenceError)(nil); errors.As(err, &none) {
		return enroll.Earlier{}, nil
	}
	return earlier, err
}
