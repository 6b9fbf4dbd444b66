package gmailcmd

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/registration"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// historyFlags are those of keypair history.
type historyFlags struct {
	gmail  option.Gmail
	store  option.Store
	serial uint32
	chain  []string
	dryRun bool
	json   bool
}

func newKeyPairHistory(streams *stdio.Streams) *cobra.Command {
	var options historyFlags
	command := &cobra.Command{
		Use: "history EMAIL", Short: "Register the retired keys of a user's card, for old mail to be read",
		Long: "history registers each certificate in the card's retired slots 82 to 95 as a key pair of its own, in no\n" +
			"identity and without having Gmail validate its chain, which may have ended long ago. Gmail can then\n" +
			"read with the card what was encrypted to it. What is registered already stays, so it can be run again.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage.Errorf("keypair history takes one address")
			}
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			done, err := options.register(cmd.Context(), streams.Err, args[0])
			if err != nil {
				return err
			}
			if options.json {
				return stdio.JSON(streams.Out, done)
			}
			return printRegisteredHistory(streams.Out, done)
		},
	}
	flags := command.Flags()
	options.gmail.Add(flags)
	options.store.Add(flags)
	option.AddSerial(flags, &options.serial, "`serial` number of the card; needed when there are several")
	flags.StringSliceVar(&options.chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	setting.Mark(flags, "chain")
	flags.BoolVar(&options.dryRun, "dry-run", false, "say what would be registered, and change nothing")
	option.AddJSON(command, &options.json)
	return command
}

// RegisteredHistoryJSON is the output of keypair history; the names are a contract.
type RegisteredHistoryJSON struct {
	Email  string              `json:"email"`
	Serial uint32              `json:"serial"` // of the card
	DryRun bool                `json:"dry_run"`
	Keys   []registeredKeyJSON `json:"keys"` // in retired slots
}

type registeredKeyJSON struct {
	Slot       piv.Slot  `json:"slot"`
	LeafSHA256 string    `json:"leaf_sha256,omitempty"`
	NotAfter   time.Time `json:"not_after,omitzero"`
	// Outcome is registered (would be, in a dry run), already, or left.
	Outcome   string `json:"outcome"`
	KeyPairID string `json:"key_pair_id,omitempty"`
	Left      string `json:"left,omitempty"` // why it is not registered
}

// The outcomes of one key.
const (
	historyRegistered = "registered"
	historyAlready    = "already"
	historyLeft       = "left"
)

// register registers what is in the card's retired slots.
func (f *historyFlags) register(ctx context.Context, messages io.Writer, email string) (done RegisteredHistoryJSON, err error) {
	authorities, err := option.ReadCertificates(f.chain)
	if err != nil {
		return done, err
	}
	user, err := f.gmail.User(ctx, messages, email)
	if err != nil {
		return done, err
	}
	var keys []registered.OldKey
	err = option.UseCard(ctx, f.serial, func(card *piv.Card) error {
		history, err := card.History(ctx)
		if err != nil {
			return err
		}
		if problem := history.Problem(); problem != nil {
			stdio.Note(messages, problem.Error()+"; to put it right: cse-piv card history --repair")
		}
		done.Serial = card.Identity().Serial
		keys, err = registered.OldKeys(email, card.Identity(), history, certpath.NewPool(authorities), time.Now())
		return err
	})
	if err != nil {
		return done, err
	}
	done.Email, done.DryRun, done.Keys = email, f.dryRun, []registeredKeyJSON{}
	if !f.dryRun {
		if err := f.store.CheckWritable(ctx, messages); err != nil {
			return done, err
		}
	}
	begun, err := registration.Begin(ctx, user, email, registration.Hooks{})
	if err != nil {
		return done, err
	}
	for _, key := range keys {
		of, err := f.registerKey(ctx, begun, key)
		if err != nil {
			return done, err
		}
		done.Keys = append(done.Keys, of)
	}
	return done, f.enter(ctx, done)
}

// enter enters what is registered into the ledger.
func (f *historyFlags) enter(ctx context.Context, done RegisteredHistoryJSON) error {
	var old []ledger.CardCertificate
	for _, key := range done.Keys {
		if key.KeyPairID != "" {
			old = append(old, ledger.CardCertificate{Email: done.Email, Serial: done.Serial, Slot: key.Slot.String(),
				LeafSHA256: key.LeafSHA256, NotAfter: key.NotAfter, KeyPairID: key.KeyPairID})
		}
	}
	if f.dryRun || len(old) == 0 {
		return nil
	}
	return f.store.Write(ctx, option.Wait, func(book *ledger.Ledger) error { return book.EnterHistory(ctx, old) })
}

// registerKey registers one key where Gmail has no key pair for its certificate.
func (f *historyFlags) registerKey(ctx context.Context, begun *registration.Registration, key registered.OldKey) (registeredKeyJSON, error) {
	of := registeredKeyJSON{Slot: key.Slot, Outcome: historyLeft, Left: key.Left}
	if key.Leaf != nil {
		of.LeafSHA256, of.NotAfter = smime.Fingerprint(key.Leaf), key.Leaf.NotAfter.UTC()
	}
	if key.Left != "" {
		return of, nil
	}
	of.Outcome = historyRegistered
	for _, pair := range begun.KeyPairs() {
		if pair.Has(of.LeafSHA256) && pair.Hardware() {
			of.Outcome, of.KeyPairID = historyAlready, pair.ID
		}
	}
	if f.dryRun || of.Outcome == historyAlready {
		return of, nil
	}
	if err := begun.EnsureKeyPair(ctx, registration.Key{
		Use: certificate.UseHistory, LeafSHA256: of.LeafSHA256, PKCS7: key.PKCS7, Description: key.Description,
	}); err != nil {
		return of, fmt.Errorf("registering the key in slot %s: %w", key.Slot, err)
	}
	keys := begun.Outcome().Keys
	of.KeyPairID = keys[len(keys)-1].Pair.ID
	return of, nil
}

func printRegisteredHistory(out io.Writer, done RegisteredHistoryJSON) error {
	rows := stdio.NewTable(out, done.Email, fmt.Sprintf("card %d", done.Serial))
	for _, key := range done.Keys {
		text := "is left: " + key.Left
		switch {
		case key.Outcome == historyRegistered && done.DryRun:
			text = "would be registered for history"
		case key.Outcome == historyRegistered:
			text = "is registered for history as key pair " + key.KeyPairID
		case key.Outcome == historyAlready:
			text = "is registered already as key pair " + key.KeyPairID
		}
		rows.Row("slot "+key.Slot.String(), text)
	}
	if len(done.Keys) == 0 {
		rows.Row("slots", "82 to 95 are empty: there is nothing to register")
	}
	return rows.Flush()
}
