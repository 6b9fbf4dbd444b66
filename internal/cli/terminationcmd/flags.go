// Package terminationcmd has the commands that end the use of a card: lost, leave and undo.
package terminationcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// Flags are of the commands that end the use of cards.
type Flags struct {
	Gmail option.Gmail
	Store option.Store
	// Evidence is the folder where an enrollment that is undone is written down; "" for the usual one.
	Evidence string
	Confirm  string
	DryRun   bool
	JSON     bool
	keyPairs string
	note     string
	// Agreed names the changes that somebody agreed to before, who is not asked for them again: see Risks.
	Agreed []string
	// confirmFlag is the flag that agrees, where it is not --confirm.
	confirmFlag string
	// clearing is of the commands that can take what was enrolled off the card again.
	clearing clearing
	// CACert is the file with the certificate of the local CA that revokes, and CAKey where
	// its key is; "" where another revokes.
	CACert string
	CAKey  option.CAKey
}

// add adds the flags.
func (f *Flags) add(command *cobra.Command) {
	flags := command.Flags()
	f.Gmail.Add(flags)
	f.Store.Add(flags)
	f.Store.AddWait(flags)
	f.AddTermination(command, "confirm")
	flags.BoolVar(&f.DryRun, "dry-run", false, "say what would change and stop working, and change nothing")
	flags.StringVar(&f.CACert, "ca-cert", "", "`file` with the CA certificate of a local CA, which then revokes (PEM)")
	f.CAKey.Add(flags, "the key of that CA")
	setting.Mark(flags, "ca-cert")
	option.AddJSON(command, &f.JSON)
}

// AddTermination adds the flags that are about the end of a card's use alone; confirm is the
// name of the one that agrees to it.
func (f *Flags) AddTermination(command *cobra.Command, confirm string) {
	flags := command.Flags()
	f.confirmFlag = confirm
	option.AddChoice(flags, &f.keyPairs, "key-pairs", "what becomes of the card's key pairs at Gmail (default by the reason): a `choice`",
		string(termination.KeyPairsLeave), string(termination.KeyPairsDisable))
	flags.StringVar(&f.Confirm, confirm, "", "agree to what stops working, without being asked: the user's `address`")
	flags.StringVar(&f.note, "note", "", "more about it, for the ledger: a short `text`")
}

// Check finds what is wrong with the flags before anything is opened.
func (f *Flags) Check() error {
	if (f.CACert == "") != (f.CAKey.Name == "") {
		return usage.Errorf("a local CA needs --ca-cert and --ca-key")
	}
	return nil
}

// KeyPairs returns what the flags say becomes of key pairs.
func (f *Flags) KeyPairs() termination.KeyPairs { return termination.KeyPairs(f.keyPairs) }

// Note returns what the flags say more about it, for the ledger.
func (f *Flags) Note() string { return f.note }

// Continue has what was said before count.
func (f *Flags) Continue(keyPairs termination.KeyPairs, note string, agreed []string) {
	f.keyPairs, f.note, f.Agreed = string(keyPairs), note, agreed
}

// requests makes a request for each user of a command.
func requests(ctx context.Context, emails []string, from string, request termination.Request) (all []termination.Request, err error) {
	rows, err := option.Users(ctx, option.UsersNamed(emails), from, false)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		request.Email = row.Email
		all = append(all, request)
	}
	return all, nil
}
