package batchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/report"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/progress"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// expiringOptions is everything that report expiring takes.
type expiringOptions struct {
	store    option.Store
	gmail    option.Gmail
	rate     option.Rate
	within   option.Span
	askGmail bool
	format   reportFlags
}

func newExpiring(streams *stdio.Streams) *cobra.Command {
	options := expiringOptions{within: option.Span(60 * 24 * time.Hour)}
	command := &cobra.Command{
		Use:   "expiring",
		Short: "Report the certificates that end soon, or have ended",
		Long: "expiring reports the certificates of users in the ledger that end within a time, the first to end\n" +
			"first: as CSV for a spreadsheet, JSON for a program, or one HTML page. With --ask-gmail these are\n" +
			"the certificates that Gmail uses now, in the order of the addresses; of users for whom Gmail does\n" +
			"not answer those of the ledger, and why.",
		Example: "  cse-piv report expiring --within 60d\n" +
			"  cse-piv report expiring --within 8w --ask-gmail -o expiring.html",
		RunE: func(cmd *cobra.Command, _ []string) error { return options.run(cmd.Context(), streams) },
	}
	flags := command.Flags()
	options.store.Add(flags)
	options.gmail.Add(flags)
	options.rate.Add(flags)
	option.AddSpan(flags, &options.within, "within", "until when the certificates end: `days` or weeks from now, such as 60d or 8w")
	flags.BoolVar(&options.askGmail, "ask-gmail", false, "ask Gmail which certificates it uses, instead of believing the ledger")
	options.format.add(flags)
	return command
}

func (o *expiringOptions) run(ctx context.Context, streams *stdio.Streams) (err error) {
	format, err := o.format.chosen()
	if err != nil {
		return err
	}
	book, err := o.store.OpenReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	now := time.Now()
	about := report.Expiry{Made: now.UTC(), Before: now.Add(time.Duration(o.within)).UTC()}
	rows, end := fromLedger(ctx, book, about), func() error { return nil }
	if o.askGmail {
		domain, limiter, err := o.rate.Open(ctx, &o.gmail, streams.Err)
		if err != nil {
			return err
		}
		bar := streams.NewBar()
		defer bar.Close()
		asker := &expiryAsker{book: book, domain: domain, limiter: limiter, about: about, show: bar.Show}
		rows, end = asker.rows(ctx), asker.end
	}
	switch {
	case o.format.output != "":
		err = replaceFile(o.format.output, o.format.overwrite, func(out io.Writer) error { return o.write(ctx, out, format, about, rows) })
	case format != "":
		err = o.write(ctx, streams.Out, format, about, rows)
	default:
		err = printExpiring(streams.Out, about, rows)
	}
	if err != nil {
		return err
	}
	return end()
}

// write writes the report, CSV with a byte order mark where that is asked for.
func (o *expiringOptions) write(ctx context.Context, out io.Writer, format report.Format, about report.Expiry, rows iter.Seq2[report.Expiring, error]) error {
	if err := writeBOM(out, format, o.format.bom); err != nil {
		return err
	}
	return report.WriteExpiring(ctx, out, format, about, rows)
}

// fromLedger yields the certificates that end by the ledger.
func fromLedger(ctx context.Context, book *ledger.Ledger, about report.Expiry) iter.Seq2[report.Expiring, error] {
	return func(yield func(report.Expiring, error) bool) {
		for end, err := range book.Ends(ctx, about.Before) {
			if !yield(report.Expiring{Expiring: end, Days: about.DaysLeft(end.NotAfter), From: report.FromLedger}, err) {
				return
			}
		}
	}
}

// expiryAsker finds the certificates that end by what Gmail uses.
type expiryAsker struct {
	book    *ledger.Ledger
	domain  *gmail.Domain
	limiter *batch.Limiter
	about   report.Expiry
	show    func(progress.Tally)
	tally   progress.Tally
	failure error // the first of Gmail's
}

// end is how the command ends: some users whom Gmail did not answer, or all.
func (a *expiryAsker) end() error {
	switch {
	case a.tally.Failed == 0:
		return nil
	case a.tally.Done == 0:
		return a.failure
	}
	return &failure.UsersError{Failed: a.tally.Failed, Total: a.tally.Failed + a.tally.Done, What: "user"}
}

func (a *expiryAsker) rows(ctx context.Context) iter.Seq2[report.Expiring, error] {
	return func(yield func(report.Expiring, error) bool) {
		for answer, err := range batch.Ask(ctx, a.limiter, a.book.Everybody(ctx), a.ask) {
			if err == nil && errors.Is(answer.Err, context.Canceled) {
				err = answer.Err
			}
			if err != nil {
				yield(report.Expiring{}, err)
				return
			}
			rows, err := a.of(ctx, answer)
			if err != nil {
				yield(report.Expiring{}, err)
				return
			}
			a.show(a.tally)
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// ask asks Gmail about a user of the ledger.
func (a *expiryAsker) ask(ctx context.Context, entry ledger.Entry) (registered.State, error) {
	user, err := a.domain.User(ctx, entry.Email)
	if err != nil {
		return registered.State{}, err
	}
	return registered.ReadState(ctx, user)
}

// of returns the certificates of a user that end: those that the identity uses or, where
// Gmail did not answer, those of the ledger's entry.
func (a *expiryAsker) of(ctx context.Context, answer batch.Answer[ledger.Entry, registered.State]) (rows []report.Expiring, err error) {
	add := func(pair ledger.Pair, from, problem string) {
		if !pair.NotAfter.IsZero() && pair.NotAfter.Before(a.about.Before) {
			rows = append(rows, report.Expiring{Expiring: ledger.Expiring{Email: answer.User.Email, Pair: pair}, Days: a.about.DaysLeft(pair.NotAfter), From: from, Problem: problem})
		}
	}
	if answer.Err != nil {
		a.tally.Failed++
		if a.failure == nil {
			a.failure = answer.Err
		}
		for _, pair := range answer.User.Pairs {
			if answer.User.State == ledger.StateDone && pair.Use != certificate.UseHistory {
				add(pair, report.FromLedger, answer.Err.Error())
			}
		}
	} else {
		a.tally.Done++
		for _, pair := range answer.Value.KeyPairs {
			if use := useOf(answer.Value.Identity, pair.ID); use != "" {
				add(ledger.Pair{Use: use, LeafSHA256: pair.LeafSHA256, KeyPairID: pair.ID, NotAfter: pair.NotAfter}, report.FromGmail, "")
			}
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	cards, err := a.book.Cards(ctx, answer.User.Email)
	for i := range rows {
		for _, card := range cards {
			if card.LeafSHA256 == rows[i].LeafSHA256 && card.State == ledger.CardInUse {
				rows[i].Serial, rows[i].Slot = card.Serial, card.Slot
			}
		}
	}
	return rows, err
}

// useOf returns what an identity uses a key pair for; empty for nothing.
func useOf(identity *gmail.Identity, id string) certificate.Use {
	switch {
	case identity == nil:
		return ""
	case identity.PrimaryKeyPairID == id:
		return certificate.UseBoth
	case identity.SigningKeyPairID == id:
		return certificate.UseSign
	case identity.EncryptionKeyPairID == id:
		return certificate.UseEncrypt
	}
	return ""
}

// printExpiring shows a person which certificates end.
func printExpiring(out io.Writer, about report.Expiry, rows iter.Seq2[report.Expiring, error]) error {
	table := stdio.NewTable(out, "EMAIL", "ENDS", "DAYS", "USE", "CARD", "KEY PAIR", "FROM")
	count := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		card := ""
		if row.Serial != 0 {
			card = fmt.Sprintf("%d/%s", row.Serial, row.Slot)
		}
		from := row.From
		if row.Problem != "" {
			from += ": " + row.Problem
		}
		table.Row(row.Email, format.Day(row.NotAfter), row.Days, row.Use, card, row.KeyPairID, from)
		count++
	}
	if count == 0 {
		_, err := fmt.Fprintf(out, "no certificate ends before %s\n", format.Day(about.Before))
		return err
	}
	return table.Flush()
}
