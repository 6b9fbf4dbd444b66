package cardcmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func newCardHistory(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var vault option.Escrow
	var known *option.Secret
	var repair bool
	command := &cobra.Command{
		Use: "history", Short: "Show the retired keys of a card, which read old mail, and what the card says of them",
		Long: "history reads the retired slots 82 to 95 one by one, and the Key History object, which tells other\n" +
			"programs how many of them to look for. Where that is missing or wrong, --repair has it say what is in\n" +
			"the slots. No key and no certificate is changed by it. It takes the card's management key: the\n" +
			"factory one, one from the escrow, or --management-key-file.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var identity piv.Identity
			var history piv.History
			err := options.use(cmd.Context(), func(card *piv.Card) (err error) {
				identity = card.Identity()
				if history, err = card.History(cmd.Context()); err != nil || !repair || history.Problem() == nil {
					return err
				}
				key, err := managementKey(cmd.Context(), streams, card, known, &vault)
				if err != nil {
					return err
				}
				stdio.Note(streams.Err, fmt.Sprintf("%v: it is put right", history.Problem()))
				if err := card.WriteKeyHistory(cmd.Context(), key); err != nil {
					return err
				}
				history, err = card.History(cmd.Context())
				return err
			})
			if err != nil {
				return err
			}
			if options.json {
				return stdio.JSON(streams.Out, showHistory(identity, history))
			}
			return printHistory(streams.Out, identity, history)
		},
	}
	options.add(command, false)
	command.Flags().BoolVar(&repair, "repair", false, "have the Key History object say what is in the retired slots")
	vault.Add(command.Flags())
	known = option.AddSecret(command.Flags(), "management-key", "the card's management key in hexadecimal, for --repair")
	return command
}

// managementKey returns the card's management key: the one that was given, or else one
// that the card accepts of those in the escrow and the factory one, which has no counter.
func managementKey(ctx context.Context, streams *stdio.Streams, card *piv.Card, given *option.Secret, vault *option.Escrow) (secret.Secret, error) {
	typed, err := given.Read(ctx)
	stdio.Warnings(streams.Err, given)
	if err != nil {
		return typed, err
	}
	if !typed.IsZero() {
		key, err := piv.ParseManagementKey(typed)
		if err != nil {
			return key, usage.Errorf("%w", err)
		}
		return key, nil
	}
	_, recover, err := vault.Open()
	if err != nil {
		return typed, err
	}
	records, err := recover(ctx, card.Identity().Serial)
	if err != nil {
		return typed, err
	}
	for _, record := range append([]escrow.Record{{ManagementKey: piv.FactoryManagementKey()}}, records...) {
		if record.ManagementKey.IsZero() {
			continue
		}
		err := card.CheckManagementKey(ctx, record.ManagementKey)
		if err == nil || !errors.Is(err, piv.ErrManagementKey) {
			return record.ManagementKey, err
		}
	}
	return typed, &failure.MissingSecretError{What: fmt.Sprintf("the management key of card %d", card.Identity().Serial), Flag: given.Name}
}

// HistoryJSON is the output of card history; the names are a contract.
type HistoryJSON struct {
	Serial  uint32           `json:"serial"` // of the card
	Says    *shownKeyHistory `json:"says"`   // what the Key History object says; null where there is none
	Real    shownKeyHistory  `json:"real"`   // what it has to say
	Problem string           `json:"problem,omitempty"`
	Slots   []shownSlot      `json:"slots"` // retired ones that hold something
	Free    int              `json:"free"`  // retired slots that hold nothing
}

type shownKeyHistory struct {
	OnCard  int    `json:"on_card"`       // keys whose certificate is on the card
	OffCard int    `json:"off_card"`      // keys whose certificate is not
	URL     string `json:"url,omitempty"` // where the certificates of those are
}

func showHistory(identity piv.Identity, history piv.History) HistoryJSON {
	shown := HistoryJSON{Serial: identity.Serial, Real: shownKeyHistory(history.Real()), Slots: []shownSlot{}, Free: len(history.Free())}
	if history.Said != nil {
		says := shownKeyHistory(*history.Said)
		shown.Says = &says
	}
	if problem := history.Problem(); problem != nil {
		shown.Problem = problem.Error()
	}
	for _, contents := range held(history) {
		shown.Slots = append(shown.Slots, showSlot(contents))
	}
	return shown
}

// held are the retired slots that are known to hold something.
func held(history piv.History) (slots []piv.SlotContents) {
	for _, contents := range history.Slots {
		if contents.Key != nil || contents.Certificate != nil || contents.CertificateErr != nil {
			slots = append(slots, contents)
		}
	}
	return slots
}

func printHistory(out io.Writer, identity piv.Identity, history piv.History) error {
	rows := stdio.NewTable(out, fmt.Sprint(identity.Serial), fmt.Sprintf("%s, firmware %s", identity.Model, identity.Firmware))
	for _, contents := range held(history) {
		printSlot(rows, contents)
	}
	rows.Row("free", fmt.Sprintf("%d of 20 retired slots", len(history.Free())))
	says := "is right about them"
	if problem := history.Problem(); problem != nil {
		says = problem.Error() + " (to put it right: --repair)"
	} else if history.Said == nil {
		says = "none, and none is needed"
	}
	rows.Row("Key History", says)
	return rows.Flush()
}
