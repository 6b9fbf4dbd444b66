package gmailcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// IdentityJSON is the output of identity show --json; the names are a contract.
type IdentityJSON struct {
	Email    string          `json:"email"`
	Identity *gmail.Identity `json:"identity"`  // null for none
	KeyPairs []ListedPair    `json:"key_pairs"` // that the identity uses
}

func newIdentityShow(streams *stdio.Streams) *cobra.Command {
	var options option.Gmail
	var from string
	var asJSON bool
	command := &cobra.Command{
		Use: "show EMAIL... | --from FILE", Short: "Show users' identities and the key pairs that they use",
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := option.Users(cmd.Context(), option.UsersNamed(args), from, false)
			if err != nil {
				return err
			}
			return showEach(cmd.Context(), streams, &options, rows, from, asJSON, showIdentity)
		},
	}
	options.Add(command.Flags())
	command.Flags().StringVar(&from, "from", "", "CSV `file` of several users, with a column email")
	option.AddJSON(command, &asJSON)
	return command
}

// showIdentity shows the identity of a user.
func showIdentity(ctx context.Context, user *gmail.User, _ option.User) (shown, error) {
	state, err := registered.ReadState(ctx, user)
	if err != nil {
		return shown{}, err
	}
	found := IdentityJSON{Email: user.Email(), Identity: state.Identity, KeyPairs: []ListedPair{}}
	for _, pair := range state.KeyPairs {
		if state.Identity != nil && state.Identity.Uses(pair.ID) {
			found.KeyPairs = append(found.KeyPairs, NewListedPair(pair))
		}
	}
	return shown{found, func(out io.Writer) error { return printIdentity(out, found) }}, nil
}

func printIdentity(out io.Writer, found IdentityJSON) error {
	rows := stdio.NewTable(out, found.Email)
	rows.Row("  identity", describe.Identity(found.Identity))
	for _, pair := range found.KeyPairs {
		rows.Row("  key pair", fmt.Sprintf("%s, %s", pair.ID, describe.KeyPair(pair.KeyPair, found.Identity).Text))
		rows.Row("", "certificate SHA-256 "+pair.LeafSHA256)
	}
	return rows.Flush()
}
