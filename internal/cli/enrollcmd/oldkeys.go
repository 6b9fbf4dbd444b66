package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// oldKeys are copies of a user's old keys, which the new card gets to read old mail with.
type oldKeys struct {
	files    []string
	password *option.Secret
	entries  []enroll.KeyCopy
	begun    []string // certificates of the copies of an earlier run, by SHA-256
}

func (k *oldKeys) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&k.files, "p12", nil, "PKCS#12 `file` with a copy of an old key, which the new card gets in a retired slot, for old mail; can be repeated")
	k.password = option.AddPKCS12Password(flags)
}

// read reads the files, before anything is changed.
func (k *oldKeys) read(ctx context.Context, messages io.Writer) error {
	password, err := k.password.Read(ctx)
	stdio.Warnings(messages, k.password)
	if err != nil {
		return err
	}
	for _, file := range k.files {
		data, err := durable.ReadFile(file, certificate.MaxFile)
		if err != nil {
			return usage.Errorf("--p12: %w", err)
		}
		keys, err := certificate.ParsePrivateKeys(data, password)
		clear(data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, key := range keys {
			if key.Certificate == nil {
				return fmt.Errorf("%s: %w", file, maintenance.ErrNoCertificate)
			}
			k.entries = append(k.entries, enroll.KeyCopy{PrivateKey: key})
		}
	}
	return nil
}

// check refuses a key that is somebody else's.
func (k *oldKeys) check(email string, state registered.State) error {
	for _, entry := range k.entries {
		if !entry.IsOf(email, state.KeyPairs) {
			return usage.Errorf("--p12: a key is not of %s, but of %s", email, describe.Owner(entry.Certificate))
		}
	}
	return nil
}

// pairs returns the key pairs of which there is a copy, or an earlier run had one.
func (k *oldKeys) pairs(state registered.State) (pairs []gmail.KeyPair) {
	for _, pair := range state.KeyPairs {
		earlier := pair.Hardware() && slices.ContainsFunc(k.begun, pair.Has)
		if earlier || slices.ContainsFunc(k.entries, func(entry enroll.KeyCopy) bool { return entry.Is(pair) }) {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// missing counts the copies that an earlier run was to put onto a card and that are not there; none where
// the card cannot be read.
func (k *oldKeys) missing(ctx context.Context, serial uint32) (missing int) {
	_ = option.UseCard(ctx, serial, func(card *piv.Card) error {
		history, err := card.History(ctx)
		if err != nil {
			return err
		}
		for _, sha256 := range k.begun {
			if !slices.ContainsFunc(history.Slots, func(slot piv.SlotContents) bool {
				return slot.Certificate != nil && certificate.Fingerprint(slot.Certificate) == sha256 && !slot.Mismatched()
			}) {
				missing++
			}
		}
		return nil
	})
	return missing
}

// say says what becomes of them.
func (k *oldKeys) say(messages io.Writer) {
	for _, entry := range k.entries {
		stdio.Note(messages, copyText(entry))
	}
}

// copyText says what becomes of a copy.
func copyText(entry enroll.KeyCopy) string {
	return fmt.Sprintf("the new card gets a copy of the key of the certificate of %s, valid until %s, and reads old mail with it", describe.Owner(entry.Certificate), format.Day(entry.Certificate.NotAfter))
}

// imported is what became of the copies, as the output of replace says it.
func imported(receipt *enroll.Receipt) (done []maintenance.Imported, err error) {
	for _, entry := range receipt.Copies {
		slot, err := piv.ParseSlot(entry.Slot)
		if err != nil {
			return nil, err
		}
		done = append(done, maintenance.Imported{Serial: receipt.Card.Serial, Slot: slot, Origin: entry.Origin, Algorithm: entry.Algorithm,
			Certificate: entry.LeafSHA256, Unchanged: !entry.Imported})
	}
	return done, nil
}

// enablePair enables the key pair of an old key again; the ledger says so first.
func (o *replaceOptions) enablePair(ctx context.Context, email, id string) error {
	user, err := o.Gmail.User(ctx, io.Discard, email)
	if err != nil {
		return err
	}
	state, err := registered.ReadState(ctx, user)
	if err != nil {
		return err
	}
	effect, err := registered.Forecast(state, registered.Change{Verb: registered.VerbEnable, KeyPairID: id})
	if err != nil {
		return err
	}
	return o.Store.Write(ctx, option.Wait, func(book *ledger.Ledger) error {
		action, err := book.BeginAction(ctx, ledger.Action{Email: email, Verb: "replace", Object: id, Operator: program.Operator(), Reason: string(o.replaces.Reason)})
		if err != nil {
			return err
		}
		failed := registered.Carry(ctx, user, effect)
		outcome, message := ledger.OutcomeDone, ""
		if failed != nil {
			outcome, message = ledger.OutcomeFailed, failed.Error()
		}
		return errors.Join(failed, book.EndAction(context.WithoutCancel(ctx), action, outcome, message))
	})
}
