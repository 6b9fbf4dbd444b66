package cardcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func newCardPIN(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "pin", Short: "Change or unblock a card's PIN", RunE: usage.ShowHelp}
	command.AddCommand(newReferenceChange(streams, "PIN", piv.CheckPIN, piv.CheckNewPIN, (*piv.Card).ChangePIN), newPINUnblock(streams))
	return command
}

func newCardPUK(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "puk", Short: "Change a card's PUK", RunE: usage.ShowHelp}
	command.AddCommand(newReferenceChange(streams, "PUK", piv.CheckPUK, piv.CheckNewPUK, (*piv.Card).ChangePUK))
	return command
}

// ChangedJSON is the output of card pin change and card puk change; the names are a
// contract.
type ChangedJSON struct {
	Serial  uint32 `json:"serial"`
	Changed string `json:"changed"` // PIN or PUK
}

// newReferenceChange returns the command that changes a PIN or PUK whose old one is known.
func newReferenceChange(streams *stdio.Streams, name string, check, checkNew func(secret.Secret) error, change func(*piv.Card, context.Context, secret.Secret, secret.Secret) error) *cobra.Command {
	var options cardFlags
	var old, next *option.Secret
	command := &cobra.Command{
		Use: "change", Short: "Set a new " + name + ", given the old one",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var changed ChangedJSON
			err := options.use(cmd.Context(), func(card *piv.Card) error {
				changed = ChangedJSON{card.Identity().Serial, name}
				ask := asker{streams: streams}
				defer ask.close()
				before, err := ask.secret(cmd.Context(), old, fmt.Sprintf("the %s of card %d", name, changed.Serial), name, false, check)
				if err != nil {
					return err
				}
				after, err := ask.secret(cmd.Context(), next, fmt.Sprintf("a new %s for card %d", name, changed.Serial), name, true, checkNew)
				if err != nil {
					return err
				}
				if before.Equal(after) {
					return usage.Errorf("the new %s is the old one", name)
				}
				return ask.risk(cmd.Context(), card, func(card *piv.Card) error { return change(card, cmd.Context(), before, after) })
			})
			if err != nil {
				return err
			}
			if options.json {
				return stdio.JSON(streams.Out, changed)
			}
			fmt.Fprintf(streams.Out, "card %d has the new %s\n", changed.Serial, name)
			return nil
		},
	}
	options.add(command, false)
	lower := map[string]string{"PIN": "pin", "PUK": "puk"}[name]
	old = option.AddSecret(command.Flags(), lower, "the card's "+name)
	next = option.AddSecret(command.Flags(), "new-"+lower, "the new "+name)
	return command
}

func newPINUnblock(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var vault option.Escrow
	var known, next *option.Secret
	command := &cobra.Command{
		Use: "unblock", Short: "Set a new PIN for somebody who forgot it, with the PUK",
		Long: "The PUK comes from the escrow (--escrow-identity opens sealed records), from --puk-file, or is\n" +
			"asked for. The card's user types the new PIN. With --escrow-to or --escrow-plain the PUK is used\n" +
			"once: another one is sealed first and then takes its place.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, recover, err := vault.Open()
			if err != nil {
				return err
			}
			stdio.Warnings(streams.Err, &vault)
			var done maintenance.Unblocked
			err = options.use(cmd.Context(), func(card *piv.Card) (err error) {
				ask := asker{streams: streams}
				defer ask.close()
				unblocking := maintenance.Unblocking{Card: card, Escrow: store, Notice: func(what string) { stdio.Note(streams.Err, what) }}
				if unblocking.PUKs, err = ask.puks(cmd.Context(), vault.Folder, known, recover, card.Identity().Serial); err != nil {
					return err
				}
				question := fmt.Sprintf("a new PIN for card %d, typed by its user", card.Identity().Serial)
				if unblocking.PIN, err = ask.secret(cmd.Context(), next, question, "PIN", true, piv.CheckNewPIN); err != nil {
					return err
				}
				return ask.risk(cmd.Context(), card, func(card *piv.Card) (err error) {
					unblocking.Card = card
					done, err = unblocking.Run(cmd.Context())
					return err
				})
			})
			if err != nil {
				return err
			}
			if store == nil && done.Used != "" {
				stdio.Note(streams.Err, "whoever opened the escrow may know the PUK; to have it replaced after it was used add --escrow-to RECIPIENT or --escrow-plain")
			}
			if options.json {
				return stdio.JSON(streams.Out, done)
			}
			fmt.Fprintf(streams.Out, "card %d has the new PIN, and all its tries\n", done.Serial)
			return nil
		},
	}
	options.add(command, false)
	vault.Add(command.Flags())
	known = option.AddSecret(command.Flags(), "puk", "the card's PUK")
	next = option.AddSecret(command.Flags(), "new-pin", "the new PIN")
	return command
}

// asker gets secrets from flags, or asks for them at the terminal.
type asker struct {
	streams  *stdio.Streams
	terminal *prompt.Terminal
}

// puks returns the PUKs that a card may have: the one that was given, those of the
// escrow, or the one that a person types.
func (a *asker) puks(ctx context.Context, escrowFolder string, given *option.Secret, recover func(context.Context, uint32) ([]escrow.Record, error), serial uint32) ([]escrow.Record, error) {
	typed, err := given.Read(ctx)
	if err != nil || !typed.IsZero() {
		stdio.Warnings(a.streams.Err, given)
		return []escrow.Record{{PUK: typed}}, err
	}
	records, err := recover(ctx, serial)
	if err != nil {
		return nil, err
	}
	folder, err := option.FolderOr(escrowFolder, "escrow")
	if err != nil {
		return nil, err
	}
	if records, err = escrow.PUKs(ctx, folder, serial, records); err != nil || len(records) > 0 {
		return records, err
	}
	puk, err := a.secret(ctx, given, fmt.Sprintf("the PUK of card %d", serial), "PUK", false, piv.CheckPUK)
	if errors.Is(err, failure.ErrNobody) {
		err = fmt.Errorf("card %d: %w", serial, maintenance.ErrNoPUK)
	}
	return []escrow.Record{{PUK: puk}}, err
}

func (a *asker) close() {
	if a.terminal != nil {
		_ = a.terminal.Close()
	}
}

// secret returns what a flag gave, or what a person types; a new one is typed twice.
func (a *asker) secret(ctx context.Context, flag *option.Secret, text, name string, isNew bool, check func(secret.Secret) error) (secret.Secret, error) {
	given, err := flag.Read(ctx)
	stdio.Warnings(a.streams.Err, flag)
	if err != nil {
		return given, err
	}
	if !given.IsZero() {
		if err := check(given); err != nil {
			return given, usage.Errorf("--%s-file: %w", flag.Name, err)
		}
		return given, nil
	}
	if a.terminal == nil && a.streams.Terminal {
		a.terminal, _ = prompt.Open()
	}
	if a.terminal == nil {
		return given, &failure.MissingSecretError{What: text, Flag: flag.Name}
	}
	return a.terminal.Secret(ctx, enroll.SecretQuestion{
		Question: enroll.Question{Text: text}, New: isNew, Tries: piv.UnknownTries, Check: check, Rule: "6 to 8 letters, digits or signs",
	})
}

// risk does something that a PIN or PUK is given for. Where only one try is left, a person
// is asked whether to use it.
func (a *asker) risk(ctx context.Context, card *piv.Card, do func(*piv.Card) error) error {
	err := do(card)
	last, found := errors.AsType[*piv.LastTryError](err)
	if !found || !a.streams.Terminal {
		return err
	}
	if a.terminal == nil {
		if a.terminal, _ = prompt.Open(); a.terminal == nil {
			return err
		}
	}
	question := fmt.Sprintf("one try of card %d's %s is left, and a wrong one blocks it for good; try it?", card.Identity().Serial, last.Reference)
	agreed, asked := a.terminal.Confirm(ctx, enroll.Question{Text: question})
	if asked != nil || !agreed {
		return errors.Join(asked, err)
	}
	return do(card.AllowLastTry())
}
