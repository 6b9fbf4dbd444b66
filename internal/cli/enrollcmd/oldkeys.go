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
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// oldKeys are copies of a user's former keys, which the new card gets to read old mail with.
type oldKeys struct {
	files    []string
	password *option.Secret
	entries  []certificate.PrivateKey
}

func (k *oldKeys) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&k.files, "p12", nil, "PKCS#12 `file` with a copy of a former key, which the new card gets in a retired slot, for old mail; can be repeated")
	k.password = option.AddSecret(flags, "p12-password", "the password of the files of --p12 (default: an empty one)")
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
			k.entries = append(k.entries, key)
		}
	}
	return nil
}

// pairs returns the key pairs of which there is a copy.
func (k *oldKeys) pairs(state registered.State) (pairs []gmail.KeyPair) {
	for _, pair := range state.KeyPairs {
		if pair.Hardware() && slices.ContainsFunc(k.entries, func(entry certificate.PrivateKey) bool { return pair.Has(smime.Fingerprint(entry.Certificate)) }) {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// say says what becomes of them.
func (k *oldKeys) say(messages io.Writer) {
	for _, entry := range k.entries {
		stdio.Note(messages, fmt.Sprintf("the new card gets a copy of the key of the certificate of %s, valid until %s, and reads old mail with it", describe.Owner(entry.Certificate), describe.Day(entry.Certificate.NotAfter)))
	}
}

// importOld puts the copies into the retired slots of the new card, and enables their key pairs again.
func (o *replaceOptions) importOld(ctx context.Context, streams *stdio.Streams, email string) (done []maintenance.Imported, err error) {
	if len(o.old.entries) == 0 {
		return nil, nil
	}
	if err := o.Store.CheckWritable(ctx, streams.Err); err != nil {
		return nil, err
	}
	err = option.UseCard(ctx, o.serial, func(card *piv.Card) error {
		ask := option.Asker{Streams: streams}
		defer ask.Close()
		key, err := ask.ManagementKey(ctx, card, o.managementKey, o.PIN, &o.Escrow)
		if err != nil {
			return err
		}
		for _, entry := range o.old.entries {
			imported, err := importInto(ctx, card, key, entry, func(what string) { stdio.Note(streams.Err, what) })
			if err != nil {
				return fmt.Errorf("importing the key of the certificate of %s: %w", describe.Owner(entry.Certificate), err)
			}
			done = append(done, imported)
		}
		return nil
	})
	if err == nil {
		err = o.Store.Write(ctx, option.Wait, func(book *ledger.Ledger) error { return book.EnterHistory(ctx, entered(email, done, o.old.entries)) })
	}
	if err == nil {
		err = o.enableOld(ctx, streams.Err, email)
	}
	return done, err
}

// entered is what the ledger is to say of imported keys.
func entered(email string, done []maintenance.Imported, entries []certificate.PrivateKey) (all []ledger.CardCertificate) {
	for i, imported := range done {
		all = append(all, ledger.CardCertificate{Email: email, Serial: imported.Serial, Slot: imported.Slot.String(), LeafSHA256: imported.Certificate,
			NotAfter: entries[i].Certificate.NotAfter, Origin: string(imported.Origin)})
	}
	return all
}

// importInto imports a key into the first retired slot that is free, or goes on where the key is.
func importInto(ctx context.Context, card *piv.Card, key secret.Secret, entry certificate.PrivateKey, notice func(string)) (maintenance.Imported, error) {
	history, err := card.History(ctx)
	if err != nil {
		return maintenance.Imported{}, err
	}
	free := history.Free()
	for _, contents := range history.Slots {
		if contents.Key != nil && certificate.SameKey(contents.Key.PublicKey, entry.Key.Public()) {
			free = []piv.Slot{contents.Slot}
			break
		}
	}
	if len(free) == 0 {
		return maintenance.Imported{}, &enroll.RetiredSlotsError{Serial: card.Identity().Serial, Needed: 1}
	}
	return maintenance.Import{Card: card, ManagementKey: key, Slot: free[0], Entry: entry, Notice: notice,
		Options: piv.ImportOptions{PINPolicy: piv.PINDefault, TouchPolicy: piv.TouchDefault}}.Run(ctx)
}

// enableOld has Gmail read with the imported keys, whose key pairs may be disabled; the ledger says so
// first.
func (o *replaceOptions) enableOld(ctx context.Context, messages io.Writer, email string) error {
	user, err := o.Gmail.User(ctx, messages, email)
	if err != nil {
		return err
	}
	state, err := registered.ReadState(ctx, user)
	if err != nil {
		return err
	}
	for _, pair := range o.old.pairs(state) {
		if pair.Enabled {
			continue
		}
		effect, err := registered.Forecast(state, registered.Change{Verb: registered.VerbEnable, KeyPairID: pair.ID})
		if err != nil {
			return err
		}
		err = o.Store.Write(ctx, option.Wait, func(book *ledger.Ledger) error {
			id, err := book.BeginAction(ctx, ledger.Action{Email: email, Verb: "replace", Object: pair.ID, Operator: program.Operator(), Reason: o.reason})
			if err != nil {
				return err
			}
			failed := registered.Carry(ctx, user, effect)
			outcome, message := ledger.OutcomeDone, ""
			if failed != nil {
				outcome, message = ledger.OutcomeFailed, failed.Error()
			}
			return errors.Join(failed, book.EndAction(context.WithoutCancel(ctx), id, outcome, message))
		})
		if err != nil {
			return err
		}
		stdio.Note(messages, fmt.Sprintf("key pair %s is enabled again: the new card has a copy of its key", pair.ID))
	}
	return nil
}
