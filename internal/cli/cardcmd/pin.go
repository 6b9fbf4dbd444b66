package cardcmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func newCardPIN(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "pin", Short: "Change or unblock a card's PIN", RunE: usage.ShowHelp}
	command.AddCommand(newReferenceChange(streams, "PIN", piv.CheckPIN, (*piv.Card).ChangePIN), newPINUnblock(streams))
	return command
}

func newCardPUK(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "puk", Short: "Change a card's PUK", RunE: usage.ShowHelp}
	command.AddCommand(newReferenceChange(streams, "PUK", piv.CheckPUK, (*piv.Card).ChangePUK))
	return command
}

// ChangedJSON is the output of card pin change and card puk change; the names are a
// contract.
type ChangedJSON struct {
	Serial  uint32 `json:"serial"`
	Changed string `json:"changed"` // PIN or PUK
}

// newReferenceChange returns the command that changes a PIN or PUK whose old one is known.
func newReferenceChange(streams *stdio.Streams, name string, check func(secret.Secret) error, change func(*piv.Card, context.Context, secret.Secret, secret.Secret) error) *cobra.Command {
	var options cardFlags
	var old, next *option.Secret
	var least int
	checkNew := piv.CheckNewPUK
	if name == "PIN" {
		checkNew = func(pin secret.Secret) error { return piv.CheckNewPINOf(pin, least) }
	}
	command := &cobra.Command{
		Use: "change", Short: "Set a new " + name + ", given the old one",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var changed ChangedJSON
			err := options.use(cmd.Context(), func(card *piv.Card) error {
				changed = ChangedJSON{card.Identity().Serial, name}
				ask := option.Asker{Streams: streams}
				defer ask.Close()
				before, err := ask.Secret(cmd.Context(), old, fmt.Sprintf("the %s of card %d", name, changed.Serial), name, false, check)
				if err != nil {
					return err
				}
				after, err := ask.Secret(cmd.Context(), next, fmt.Sprintf("a new %s for card %d", name, changed.Serial), name, true, checkNew)
				if err != nil {
					return err
				}
				if before.Equal(after) {
					return usage.Errorf("the new %s is the old one", name)
				}
				return ask.Risk(cmd.Context(), card, func(card *piv.Card) error { return change(card, cmd.Context(), before, after) })
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
	if name == "PIN" {
		option.AddMinPINLength(command.Flags(), &least)
	}
	return command
}

func newPINUnblock(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var vault option.Escrow
	var known, next *option.Secret
	var least int
	var second secondPerson
	command := &cobra.Command{
		Use: "unblock", Short: "Set a new PIN for somebody who forgot it, with the PUK",
		Long: "The PUK comes from the escrow (--escrow-identity opens sealed records), from --puk-file, or is\n" +
			"asked for. The card's user types the new PIN. With --escrow-to or --escrow-plain the PUK is used\n" +
			"once: another one is sealed first and then takes its place.\n\n" +
			"With --second-person NAME somebody else has to agree, who types the card's serial number; the ledger\n" +
			"keeps the name before the PUK is used.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, recover, err := vault.Open()
			if err != nil {
				return err
			}
			stdio.Warnings(streams.Err, &vault)
			var done maintenance.Unblocked
			err = options.use(cmd.Context(), func(card *piv.Card) (err error) {
				ask := option.Asker{Streams: streams}
				defer ask.Close()
				unblocking := maintenance.Unblocking{Card: card, Escrow: store, Notice: func(what string) { stdio.Note(streams.Err, what) }}
				if unblocking.PUKs, err = ask.PUKs(cmd.Context(), vault.Folder, known, recover, card.Identity().Serial); err != nil {
					return err
				}
				if err := second.agree(cmd.Context(), streams, card.Identity().Serial); err != nil {
					return err
				}
				question := fmt.Sprintf("a new PIN for card %d, typed by its user", card.Identity().Serial)
				if unblocking.PIN, err = ask.Secret(cmd.Context(), next, question, "PIN", true, func(pin secret.Secret) error { return piv.CheckNewPINOf(pin, least) }); err != nil {
					return err
				}
				return ask.Risk(cmd.Context(), card, func(card *piv.Card) (err error) {
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
	option.AddMinPINLength(command.Flags(), &least)
	second.add(command.Flags())
	return command
}
