package gmailcmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// NewKeyPair returns the command keypair.
func NewKeyPair(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "keypair", Short: "Look at and change the key pairs that Gmail has", RunE: usage.ShowHelp}
	command.AddCommand(
		newGmailList(streams, "List users' key pairs", listKeyPairs, "ID", "STATE", "LEAF SHA-256", "ADDRESSES", "KEY", "DESCRIPTION"),
		newKeyPairShow(streams),
		newKeyPairHistory(streams),
		newKeyPairChange(streams, registered.VerbEnable, "Turn key pairs on again", ""),
		newKeyPairChange(streams, registered.VerbDisable, "Turn key pairs off: neither signing nor reading until they are enabled again",
			"Gmail then neither signs with the key pair nor reads what was encrypted to it, old mail too. After a\n"+
				"card was replaced there is no need for it: leave the old key pair enabled, so that old mail stays\n"+
				"readable with the old card. 30 days after it was disabled, a key pair can be obliterated."),
		newKeyPairChange(streams, registered.VerbObliterate, "Delete disabled key pairs for ever",
			"Nobody can read again at Gmail what was encrypted to the key pair. Gmail allows it for what has been\n"+
				"disabled for more than 30 days."),
	)
	return command
}

// newKeyPairChange returns a command that does something to key pairs.
func newKeyPairChange(streams *stdio.Streams, verb registered.Verb, short, more string) *cobra.Command {
	options := changeFlags{harmless: verb == registered.VerbEnable}
	command := &cobra.Command{
		Use: string(verb) + " EMAIL KEYPAIR-ID... | --from FILE", Short: short, Long: more,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := keyPairsNamed(args)
			if err != nil {
				return err
			}
			wanted, err := options.wanted(cmd.Context(), rows, true, func(row option.User) registered.Change {
				return registered.Change{Verb: verb, KeyPairID: row.KeyPairID}
			})
			if err != nil {
				return err
			}
			return runChanges(cmd.Context(), streams, &options, "keypair "+string(verb), wanted)
		},
	}
	options.add(command)
	return command
}

// keyPairsNamed are the key pairs of one user, named by an address and their ids.
func keyPairsNamed(args []string) (rows []option.User, err error) {
	if len(args) == 1 {
		return nil, usage.Errorf("which key pair of %s? give its id, as keypair list shows it", args[0])
	}
	for _, id := range args[min(1, len(args)):] {
		if strings.Contains(id, "@") {
			return nil, usage.Errorf("%s is an address, and no id of a key pair: the command takes one user and the key pairs of that user; several users come with --from FILE", id)
		}
		rows = append(rows, option.User{Email: args[0], KeyPairID: id})
	}
	return rows, nil
}

// KeyPairsJSON is a user in the output of keypair list --json; the names are a contract.
type KeyPairsJSON struct {
	Email    string       `json:"email"`
	KeyPairs []ListedPair `json:"key_pairs"`
}

func listKeyPairs(ctx context.Context, user *gmail.User) (any, [][]any, error) {
	pairs, err := user.KeyPairs(ctx)
	if err != nil {
		return nil, nil, err
	}
	listed := []ListedPair{}
	var lines [][]any
	for _, pair := range pairs {
		listed = append(listed, NewListedPair(pair))
		state := "enabled"
		if !pair.Enabled {
			state = "disabled"
		}
		lines = append(lines, []any{pair.ID, state, short(pair.LeafSHA256), strings.Join(pair.Emails, " "), describe.PrivateKey(pair), strings.Join(pair.HardwareDescriptions, "; ")})
	}
	return KeyPairsJSON{Email: user.Email(), KeyPairs: listed}, lines, nil
}

// KeyPairJSON is the output of keypair show --json; the names are a contract.
type KeyPairJSON struct {
	Email      string `json:"email"`
	ListedPair        // of Gmail
	InIdentity bool   `json:"in_identity"`
	PEM        string `json:"pem"` // the chain, as Gmail has it
}

func newKeyPairShow(streams *stdio.Streams) *cobra.Command {
	var options option.Gmail
	var from string
	var asJSON bool
	command := &cobra.Command{
		Use: "show EMAIL KEYPAIR-ID... | --from FILE", Short: "Show key pairs and their certificates",
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := keyPairsNamed(args)
			if err != nil {
				return err
			}
			if rows, err = option.Users(cmd.Context(), rows, from, true); err != nil {
				return err
			}
			return showEach(cmd.Context(), streams, &options, rows, from, asJSON, showKeyPair)
		},
	}
	options.Add(command.Flags())
	command.Flags().StringVar(&from, "from", "", "CSV `file` of several key pairs, with columns email and key_pair_id")
	option.AddJSON(command, &asJSON)
	return command
}

// showKeyPair shows the key pair of a row.
func showKeyPair(ctx context.Context, user *gmail.User, row option.User) (shown, error) {
	state, err := registered.ReadState(ctx, user)
	if err != nil {
		return shown{}, err
	}
	id := row.KeyPairID
	at := slices.IndexFunc(state.KeyPairs, func(pair gmail.KeyPair) bool { return pair.ID == id })
	if at < 0 {
		return shown{}, &registered.UnknownKeyPairError{ID: id}
	}
	pair := state.KeyPairs[at]
	used := state.Identity != nil && state.Identity.Uses(id)
	return shown{KeyPairJSON{Email: user.Email(), ListedPair: NewListedPair(pair), InIdentity: used, PEM: pair.PEM}, func(out io.Writer) error {
		return printKeyPair(out, user.Email(), pair, state.Identity)
	}}, nil
}

func printKeyPair(out io.Writer, email string, pair gmail.KeyPair, identity *gmail.Identity) error {
	rows := stdio.NewTable(out, email)
	rows.Row("  key pair", pair.ID)
	rows.Row("  state", describe.KeyPair(pair, identity).Text)
	if !pair.DisableTime.IsZero() {
		rows.Row("  disabled", pair.DisableTime.UTC().Format(stdio.Clock)+" UTC")
	}
	rows.Row("  addresses", strings.Join(pair.Emails, " "))
	rows.Row("  certificate", "SHA-256 "+pair.LeafSHA256)
	if err := rows.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, pair.PEM)
	return err
}
