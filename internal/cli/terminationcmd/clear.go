package terminationcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// clearing takes what an enrollment put onto a card off it again.
type clearing struct {
	serial             uint32 // of the card, by which its loss is agreed to; 0 where it stays as it is
	pin, managementKey *option.Secret
	escrow             option.Escrow
	slots              []piv.Slot // that are to be cleared
}

func (c *clearing) add(command *cobra.Command) {
	flags := command.Flags()
	flags.Uint32Var(&c.serial, "clear-card", 0, "the `serial` number of the card, in the reader, to agree that it loses the key (from firmware 5.7) and certificate of that enrollment, and gets a new CHUID")
	c.pin = option.AddSecret(flags, "pin", "the PIN, where it leads to the management key")
	c.managementKey = option.AddSecret(flags, "management-key", "the card's management key in hexadecimal")
	c.escrow.AddReading(flags)
}

// ClearCard has an undoing take what was enrolled off the card as well, with the management
// key that the flags give or lead to.
func (f *Flags) ClearCard(serial uint32, pin, managementKey *option.Secret, escrow option.Escrow) {
	f.clearing = clearing{serial: serial, pin: pin, managementKey: managementKey, escrow: escrow}
}

// find finds the slots, and adds to the result what the card loses. It changes nothing.
func (c *clearing) find(ctx context.Context, result *Result) error {
	if c.serial == 0 || result.err != nil {
		return nil
	}
	if result.plan.Serial != c.serial {
		return usage.Errorf("--clear-card %d is not the card of that enrollment, which is %d", c.serial, result.plan.Serial)
	}
	return option.UseCard(ctx, c.serial, func(card *piv.Card) error {
		status, err := card.Status(ctx)
		if err != nil {
			return err
		}
		for _, contents := range status.Slots {
			if contents.Certificate == nil || !slices.ContainsFunc(result.plan.Ended, func(pair gmail.KeyPair) bool { return pair.Has(certificate.Fingerprint(contents.Certificate)) }) {
				continue
			}
			if other := result.plan.OfKey(contents.Certificate.PublicKey); other != nil {
				return &termination.KeyInUseError{Serial: c.serial, Slot: contents.Slot.String(), KeyPairID: other.ID}
			}
			c.slots = append(c.slots, contents.Slot)
			text := fmt.Sprintf("card %d loses what is in slot %s for ever: %s", c.serial, contents.Slot, describe.SlotContents(contents))
			if contents.Key != nil && !card.Identity().Firmware.MovesKeys() {
				text = fmt.Sprintf("card %d loses the certificate in slot %s; firmware %s deletes no key, which stays until another takes its place", c.serial, contents.Slot, card.Identity().Firmware)
			}
			result.Effects = append(result.Effects, text)
		}
		if len(c.slots) > 0 && result.Outcome == outcomeUnchanged {
			result.Outcome = outcomeWouldChange
		}
		return nil
	})
}

// run clears the slots, each written down in the ledger.
func (c *clearing) run(ctx context.Context, ask *option.Asker, store option.Store, result *Result) (err error) {
	if len(c.slots) == 0 || result.err != nil {
		return nil
	}
	book, err := store.Open(ctx, ask.Streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	id, err := book.BeginAction(ctx, ledger.Action{Email: result.Email, Verb: "undo", Object: fmt.Sprintf("card %d", c.serial), Operator: program.Operator(), Reason: string(result.Reason)})
	if err != nil {
		return err
	}
	failed := option.UseCard(ctx, c.serial, func(card *piv.Card) error { return c.clear(ctx, ask, card) })
	outcome, message := ledger.OutcomeDone, ""
	if failed != nil {
		outcome, message = ledger.OutcomeFailed, failed.Error()
	}
	return errors.Join(failed, book.EndAction(context.WithoutCancel(ctx), id, outcome, message))
}

// clear gives the card a new CHUID and takes keys and certificates off it.
func (c *clearing) clear(ctx context.Context, ask *option.Asker, card *piv.Card) error {
	key, err := ask.ManagementKey(ctx, card, c.managementKey, c.pin, &c.escrow)
	if err != nil {
		return err
	}
	if err := card.RefreshCHUID(ctx, key); errors.Is(err, piv.ErrIssuerCHUID) {
		stdio.Note(ask.Streams.Err, err.Error()+" and stays: Windows caches certificates by it")
	} else if err != nil {
		return err
	}
	for _, slot := range c.slots {
		if err := card.ClearSlot(ctx, key, slot); err != nil {
			return err
		}
	}
	return nil
}
