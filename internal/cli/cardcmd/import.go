package cardcmd

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// ImportJSON is the output of card import --json; the names are a contract.
type ImportJSON struct {
	maintenance.Imported
	DryRun bool `json:"dry_run"`
	// Email is whose key the ledger has it as; empty where it is not entered.
	Email string `json:"email,omitempty"`
	// Lost is what was in the slot, a sentence each.
	Lost []string `json:"lost"`
}

// importOptions is what card import takes.
type importOptions struct {
	cardFlags
	file, key, pinPolicy, touchPolicy string
	password, pin, managementKey      *option.Secret
	escrow                            option.Escrow
	store                             option.Store
	confirm                           string
	keepCHUID, dryRun                 bool
}

func newCardImport(streams *stdio.Streams) *cobra.Command {
	var options importOptions
	command := &cobra.Command{
		Use: "import", Short: "Put an old key of a PKCS#12 onto a card, to read old mail with",
		Long: "import puts the private key of a PKCS#12 and its certificate into a slot, 82 to 95 as a rule, so that\n" +
			"the card reads mail that was encrypted to it. Such a key is imported: nobody can prove that it\n" +
			"exists nowhere else, and the card never attests it. A key in the slot is lost only where the card's\n" +
			"serial number is typed, or passed as --confirm. It can be repeated.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return options.run(cmd.Context(), streams)
		},
	}
	options.add(command, false)
	flags := command.Flags()
	flags.StringVar(&options.file, "p12", "", "PKCS#12 `file` with the key and its certificate")
	flags.StringVar(&options.slot, "slot", "", "PIV `slot`: 82 to 95 for old keys, or 9a, 9c, 9d or 9e")
	flags.StringVar(&options.key, "key", "", "`number` of the key in a file with several, from 1")
	flags.StringVar(&options.pinPolicy, "pin-policy", "default", "PIN `policy` of the key: default, never, once or always")
	flags.StringVar(&options.touchPolicy, "touch-policy", "default", "touch `policy` of the key: default, never, cached or always")
	flags.StringVar(&options.confirm, "confirm", "", "the card's `serial`, to agree to what is lost without being asked")
	flags.BoolVar(&options.keepCHUID, "keep-chuid", false, "leave the CHUID that the card has (default: a new one, because Windows shows certificates that it cached by the old one)")
	flags.BoolVar(&options.dryRun, "dry-run", false, "say what would be done and lost, and change nothing")
	options.password = option.AddPKCS12Password(flags)
	options.pin = option.AddSecret(flags, "pin", "the PIN, where it leads to the management key")
	options.managementKey = option.AddSecret(flags, "management-key", "the card's management key in hexadecimal")
	options.escrow.AddReading(flags)
	options.store.Add(flags)
	return command
}

func (o *importOptions) run(ctx context.Context, streams *stdio.Streams) error {
	if o.file == "" || o.slot == "" {
		return usage.Errorf("--p12 FILE and --slot SLOT are needed")
	}
	entry, err := o.read(ctx, streams)
	if err != nil {
		return err
	}
	pinPolicy, err := piv.ParsePINPolicy(o.pinPolicy)
	if err != nil {
		return usage.Errorf("%w", err)
	}
	touchPolicy, err := piv.ParseTouchPolicy(o.touchPolicy)
	if err != nil {
		return usage.Errorf("%w", err)
	}
	if !o.dryRun {
		if err := o.store.CheckWritable(ctx, streams.Err); err != nil {
			return err
		}
	}
	var out ImportJSON
	err = o.useSlot(ctx, func(card *piv.Card, slot piv.Slot) error {
		out, err = o.carry(ctx, streams, maintenance.Import{Card: card, Slot: slot, Entry: entry, KeepCHUID: o.keepCHUID,
			Options: piv.ImportOptions{PINPolicy: pinPolicy, TouchPolicy: touchPolicy},
			Notice:  func(what string) { stdio.Note(streams.Err, what) }}, card)
		return err
	})
	if err != nil {
		return err
	}
	if !o.dryRun {
		if out.Email, err = o.enter(ctx, out, entry.Certificate); err != nil {
			return err
		}
		if out.Email == "" {
			stdio.Note(streams.Err, fmt.Sprintf("the key is not entered into the ledger: neither it nor the certificate says whose card %d is", out.Serial))
		}
	}
	if o.json {
		return stdio.JSON(streams.Out, out)
	}
	switch {
	case o.dryRun:
		fmt.Fprintf(streams.Out, "card %d would get the key in slot %s\n", out.Serial, out.Slot)
		for _, lost := range out.Lost {
			fmt.Fprintln(streams.Out, "lost:", lost)
		}
	case out.Unchanged:
		fmt.Fprintf(streams.Out, "card %d has the key and its certificate in slot %s already\n", out.Serial, out.Slot)
	default:
		fmt.Fprintf(streams.Out, "card %d reads with the key in slot %s, which is imported and not attested\n", out.Serial, out.Slot)
	}
	return nil
}

// enter enters the key into the ledger as one for old mail, and returns as whose: of the user whose card
// it is there, or whom the certificate names; "" where nobody is known.
func (o *importOptions) enter(ctx context.Context, out ImportJSON, leaf *x509.Certificate) (email string, err error) {
	err = o.store.Write(ctx, option.Wait, func(book *ledger.Ledger) error {
		known, err := book.OnCard(ctx, out.Serial)
		if err != nil {
			return err
		}
		for _, one := range known {
			if one.State == ledger.CardInUse {
				email = one.Email
			}
		}
		if addresses := smime.EmailAddresses(leaf); email == "" && len(addresses) > 0 {
			email = addresses[0]
		}
		if email == "" {
			return nil
		}
		return book.EnterHistory(ctx, []ledger.CardCertificate{{
			Email: email, Serial: out.Serial, Slot: out.Slot.String(), LeafSHA256: out.Certificate, NotAfter: leaf.NotAfter, Origin: string(out.Origin),
		}})
	})
	return email, err
}

// carry has what is lost agreed to, and imports.
func (o *importOptions) carry(ctx context.Context, streams *stdio.Streams, job maintenance.Import, card *piv.Card) (ImportJSON, error) {
	out := ImportJSON{Imported: maintenance.Imported{Serial: card.Identity().Serial, Slot: job.Slot, Origin: piv.Imported}, DryRun: o.dryRun, Lost: []string{}}
	there, err := job.Check(ctx)
	occupied, inUse := errors.AsType[*maintenance.SlotOccupiedError](err)
	switch {
	case inUse:
		out.Lost = append(out.Lost, fmt.Sprintf("slot %s: %s", job.Slot, describe.SlotContents(occupied.Contents)), "mail that was encrypted to it can no longer be read with this card")
	case err != nil:
		return out, err
	}
	if out.Unchanged = there.All(); out.Unchanged || o.dryRun {
		out.Algorithm, _ = piv.AlgorithmOf(job.Entry.Key.Public())
		out.Certificate = certificate.Fingerprint(job.Entry.Certificate)
		return out, nil
	}
	if inUse {
		_ = card.Release(ctx) // while a person reads and types
		question := enroll.Question{Text: occupied.Error() + ": a key is imported in its place", Loss: out.Lost}
		if err := option.Confirm(ctx, streams, o.confirm, strconv.FormatUint(uint64(out.Serial), 10), question); err != nil {
			return out, err
		}
		job.Overwrite = true
	}
	if job.ManagementKey, err = o.findManagementKey(ctx, streams, card); err != nil {
		return out, err
	}
	out.Imported, err = job.Run(ctx)
	return out, err
}

// findManagementKey returns the card's management key: the one of the flags, the factory one, the
// one that the PIN leads to, one of the escrow, or the one that a person types.
func (o *importOptions) findManagementKey(ctx context.Context, streams *stdio.Streams, card *piv.Card) (secret.Secret, error) {
	ask := option.Asker{Streams: streams}
	defer ask.Close()
	return ask.ManagementKey(ctx, card, o.managementKey, o.pin, &o.escrow)
}

// read returns the key of the file that was chosen.
func (o *importOptions) read(ctx context.Context, streams *stdio.Streams) (certificate.PrivateKey, error) {
	data, err := durable.ReadFile(o.file, certificate.MaxFile)
	if err != nil {
		return certificate.PrivateKey{}, usage.Errorf("--p12: %w", err)
	}
	defer clear(data)
	password, err := o.password.Read(ctx)
	stdio.Warnings(streams.Err, o.password)
	if err != nil {
		return certificate.PrivateKey{}, err
	}
	keys, err := certificate.ParsePrivateKeys(data, password)
	if err != nil {
		return certificate.PrivateKey{}, fmt.Errorf("%s: %w", o.file, err)
	}
	if len(keys) == 1 && (o.key == "" || o.key == "1") {
		return keys[0], nil
	}
	if n, err := strconv.Atoi(o.key); err == nil && n >= 1 && n <= len(keys) {
		return keys[n-1], nil
	}
	var each []string
	for i, entry := range keys {
		what := "without a certificate"
		if entry.Certificate != nil {
			what = "of " + describe.Owner(entry.Certificate) + ", valid until " + format.Day(entry.Certificate.NotAfter)
		}
		each = append(each, fmt.Sprintf("%d %s", i+1, what))
	}
	return certificate.PrivateKey{}, usage.Errorf("%s holds %d keys: choose one with --key: %s", o.file, len(keys), strings.Join(each, "; "))
}
