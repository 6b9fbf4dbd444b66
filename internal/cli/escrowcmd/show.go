package escrowcmd

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// ShownJSON is the output of escrow show --json; the names are a contract.
type ShownJSON struct {
	Serial  uint32        `json:"serial"` // of the card
	File    string        `json:"file"`
	Created time.Time     `json:"created"`
	State   escrow.State  `json:"standing"` // whether the card has it
	InForce []escrow.Kind `json:"in_force"` // what of it the card has
	Note    string        `json:"note,omitempty"`
	// Holds is what the record holds.
	Holds []escrow.Kind `json:"holds"`
	// PUK and ManagementKey, in hexadecimal, are there only where --reveal asked for them.
	PUK                    string `json:"puk,omitempty"`
	ManagementKey          string `json:"management_key,omitempty"`
	ManagementKeyAlgorithm string `json:"management_key_algorithm,omitempty"`
}

// showOptions is what escrow show takes.
type showOptions struct {
	vault           option.Escrow
	store           option.Store
	serial          uint32
	record, confirm string
	reason          string
	reveal          []string
	json            bool
}

// The values of --reveal.
const (
	revealPUK           = "puk"
	revealManagementKey = "management-key"
)

func newEscrowShow(streams *stdio.Streams) *cobra.Command {
	var options showOptions
	command := &cobra.Command{
		Use: "show", Short: "Open the record of a card, and show what of it is asked for",
		Long: "show opens the record that is in force for a card, or the one that --record names, with an identity\n" +
			"(--escrow-identity), and says what it holds. The PUK or the management key is shown only where\n" +
			"--reveal asks for it and somebody types the card's serial number, or passes it as --confirm; that is\n" +
			"noted in the ledger before.",
		RunE: func(cmd *cobra.Command, _ []string) error { return options.run(cmd.Context(), streams) },
	}
	flags := command.Flags()
	options.vault.AddReading(flags)
	options.store.Add(flags)
	option.AddSerial(flags, &options.serial, "`serial` number of the card")
	flags.StringVar(&options.record, "record", "", "`file` of the record, where it is not the one in force")
	flags.StringSliceVar(&options.reveal, "reveal", nil, "show a secret: puk or management-key")
	flags.StringVar(&options.confirm, "confirm", "", "the card's `serial`, to have secrets shown without being asked")
	flags.StringVar(&options.reason, "reason", "", "why a secret is shown, for the ledger: a short `text`")
	option.AddJSON(command, &options.json)
	return command
}

func (o *showOptions) run(ctx context.Context, streams *stdio.Streams) error {
	for _, what := range o.reveal {
		if what != revealPUK && what != revealManagementKey {
			return usage.Errorf("--reveal %q is neither %s nor %s", what, revealPUK, revealManagementKey)
		}
	}
	listed, err := o.choose(ctx)
	if err != nil {
		return err
	}
	stdio.Warnings(streams.Err, &o.vault)
	identities, err := o.vault.Identities()
	if err != nil {
		return err
	}
	record, err := escrow.OpenOf(listed.Serial, listed.File, identities...)
	if err != nil {
		return err
	}
	if len(o.reveal) > 0 {
		if err := o.agree(ctx, streams, record); err != nil {
			return err
		}
	}
	return o.print(streams, shown(listed, record, o.reveal))
}

// choose returns the record that is named, or the last one that is in force or may be.
func (o *showOptions) choose(ctx context.Context) (escrow.Listed, error) {
	folder, err := existing(o.vault.Folder)
	if err != nil {
		return escrow.Listed{}, err
	}
	if o.serial == 0 && o.record == "" {
		return escrow.Listed{}, usage.Errorf("--serial SERIAL or --record FILE is needed: the records are listed by cse-piv escrow list")
	}
	if o.record != "" && filepath.Base(o.record) != o.record {
		folder = filepath.Dir(o.record)
	}
	records, err := escrow.List(ctx, folder, o.serial)
	if err != nil {
		return escrow.Listed{}, err
	}
	slices.Reverse(records)
	if o.record != "" {
		for _, record := range records {
			if filepath.Base(record.File) == filepath.Base(o.record) {
				return record, nil
			}
		}
		return escrow.Listed{}, &failure.NoRecordError{Folder: folder, Serial: o.serial, Record: o.record}
	}
	for _, state := range []escrow.State{escrow.StateInForce, escrow.StateUnknown} {
		for _, record := range records {
			if record.State == state {
				return record, nil
			}
		}
	}
	return escrow.Listed{}, &failure.NoRecordError{Folder: folder, Serial: o.serial}
}

// agree has somebody agree that secrets are shown, and notes it in the ledger.
func (o *showOptions) agree(ctx context.Context, streams *stdio.Streams, record escrow.Record) (err error) {
	question := enroll.Question{Text: fmt.Sprintf("secrets of card %d are shown", record.Serial), Loss: []string{"whoever sees them can use them: replace them afterwards"}}
	if err := option.Confirm(ctx, streams, o.confirm, strconv.FormatUint(uint64(record.Serial), 10), question); err != nil {
		return err
	}
	book, err := o.store.Open(ctx, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	id, err := book.BeginAction(ctx, ledger.Action{Verb: "escrow show", Object: fmt.Sprintf("card %d", record.Serial), Operator: program.Operator(), Reason: o.reason})
	if err != nil {
		return err
	}
	return book.EndAction(ctx, id, ledger.OutcomeDone, filepath.Base(record.Path))
}

func shown(listed escrow.Listed, record escrow.Record, reveal []string) ShownJSON {
	out := ShownJSON{Serial: listed.Serial, File: listed.File, Created: listed.Created, State: listed.State, InForce: listed.InForce, Note: record.Note, Holds: []escrow.Kind{}}
	if !record.PUK.IsZero() {
		out.Holds = append(out.Holds, escrow.KindPUK)
		if slices.Contains(reveal, revealPUK) {
			out.PUK = string(record.PUK.Reveal())
		}
	}
	if !record.ManagementKey.IsZero() {
		out.Holds = append(out.Holds, escrow.KindManagementKey)
		out.ManagementKeyAlgorithm = record.ManagementKeyAlgorithm
		if slices.Contains(reveal, revealManagementKey) {
			out.ManagementKey = hex.EncodeToString(record.ManagementKey.Reveal())
		}
	}
	return out
}

func (o *showOptions) print(streams *stdio.Streams, out ShownJSON) error {
	if o.json {
		return stdio.JSON(streams.Out, out)
	}
	rows := stdio.NewTable(streams.Out, "CARD", strconv.FormatUint(uint64(out.Serial), 10))
	rows.Row("sealed at", format.Second(out.Created))
	rows.Row("standing", standingText(escrow.Listed{State: out.State, InForce: out.InForce}))
	for _, kind := range out.Holds {
		rows.Row("holds", kind)
	}
	if out.Note != "" {
		rows.Row("note", out.Note)
	}
	if out.PUK != "" {
		rows.Row("PUK", out.PUK)
	}
	if out.ManagementKey != "" {
		rows.Row("management key", out.ManagementKey)
	}
	rows.Row("file", out.File)
	return rows.Flush()
}
