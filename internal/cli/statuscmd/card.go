package statuscmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/status"
)

// CardStatusJSON is the output of status --card --json; the names are a contract.
type CardStatusJSON struct {
	Serial   uint32       `json:"serial"`
	Model    string       `json:"model"`
	Firmware string       `json:"firmware"`
	State    status.State `json:"state"`
	Meaning  string       `json:"meaning"` // of the state
	Email    string       `json:"email"`   // whose it is; empty for nobody's
	// Problem says why Gmail's word is missing.
	Problem string       `json:"problem,omitempty"`
	Keys    []status.Key `json:"keys"`
	// SameCHUID are the serial numbers of other cards that had the same CHUID when last seen.
	SameCHUID []uint32 `json:"same_chuid"`
	// Ledger are the certificates that the ledger has of the card, the oldest first.
	Ledger []ledger.CardCertificate `json:"ledger"`
	Next   []nextStep               `json:"next"` // what may be done with it
}

// nextStep is something that may be done with the card.
type nextStep struct {
	status.Transition
	CommandLine string `json:"command_line"` // what to type for the command
}

// runCard says how the card in the reader stands.
func runCard(ctx context.Context, streams *stdio.Streams, options *statusOptions) (err error) {
	book, err := options.openLedger(ctx)
	if errors.As(err, new(*ledger.MissingError)) {
		book, err = nil, nil // a card has a state before there is a ledger
	}
	if err != nil {
		return err
	}
	if book != nil {
		defer func() { err = errors.Join(err, book.Close()) }()
	}
	folder, err := option.FolderOr(options.evidence, "evidence")
	if err != nil {
		return err
	}
	card, err := readCard(ctx, book, folder, func(err error) { stdio.Warning(streams.Err, err.Error()) }, options.serial)
	if err != nil {
		return err
	}
	var problem error
	email := card.Owner()
	if email != "" {
		if card.Gmail, problem = askOf(ctx, streams.Err, options, email); errors.Is(problem, context.Canceled) {
			return problem
		}
	}
	state := card.State()
	answer := CardStatusJSON{Serial: card.Identity.Serial, Model: card.Identity.Model, Firmware: card.Identity.Firmware.String(), State: state, Email: email,
		Keys: card.Keys(), SameCHUID: append([]uint32{}, card.SameCHUID...), Ledger: append([]ledger.CardCertificate{}, card.Ledger...), Next: []nextStep{}}
	if problem != nil {
		answer.Problem = problem.Error()
	}
	for _, meaning := range status.States() {
		if meaning.State == state {
			answer.Meaning = meaning.Text
		}
	}
	for _, transition := range card.Next() {
		line := hint.Command(transition.Command, email, "", options.serial)
		if transition.Command == status.CommandEnrollExisting {
			line = hint.InSlot(line, card.KeySlot())
		}
		answer.Next = append(answer.Next, nextStep{transition, line})
	}
	if options.json {
		return stdio.JSON(streams.Out, answer)
	}
	return printCard(streams.Out, answer)
}

// askOf asks Gmail what it has of the card's user.
func askOf(ctx context.Context, messages io.Writer, options *statusOptions, email string) (*registered.State, error) {
	user, err := options.gmail.User(ctx, messages, email)
	if err != nil {
		return nil, err
	}
	state, err := registered.ReadState(ctx, user)
	if errors.Is(err, gmail.ErrNoUser) {
		return &registered.State{}, nil // the user is gone, and so is what Gmail had
	}
	if err != nil {
		return nil, err
	}
	return &state, nil
}

func printCard(out io.Writer, card CardStatusJSON) error {
	rows := stdio.NewTable(out, fmt.Sprint(card.Serial), fmt.Sprintf("%s, firmware %s", card.Model, card.Firmware))
	rows.Row("state", fmt.Sprintf("%s: %s", card.State, card.Meaning))
	whose := card.Email
	if whose == "" {
		whose = "nobody's, as far as the card and the ledger tell"
	}
	rows.Row("user", whose)
	if card.Problem != "" {
		rows.Row("Gmail", card.Problem)
	}
	for _, key := range card.Keys {
		rows.Row("slot "+key.Slot.String(), describeKey(key, card.Problem == "" && card.Email != ""))
	}
	for _, entered := range card.Ledger {
		rows.Row("ledger", entered.Email+": "+describeCard(entered))
	}
	if len(card.SameCHUID) > 0 {
		rows.Row("CHUID", enroll.SameCHUID(card.SameCHUID))
	}
	for i, step := range card.Next {
		label := ""
		if i == 0 {
			label = "next"
		}
		rows.Row(label, fmt.Sprintf("%s (%s)", step.CommandLine, step.When))
	}
	return rows.Flush()
}

// describeKey says what is in a slot, and what Gmail does with it where it was asked.
func describeKey(key status.Key, asked bool) string {
	switch {
	case key.LeafSHA256 == "":
		return key.Problem
	case key.InIdentity:
		return fmt.Sprintf("certificate %.16s: Gmail uses it, as key pair %s", key.LeafSHA256, key.KeyPairID)
	case key.KeyPairID != "":
		return fmt.Sprintf("certificate %.16s: Gmail has it as key pair %s, and the identity does not use it", key.LeafSHA256, key.KeyPairID)
	case asked:
		return fmt.Sprintf("certificate %.16s: Gmail does not have it", key.LeafSHA256)
	}
	return fmt.Sprintf("certificate %.16s", key.LeafSHA256)
}
