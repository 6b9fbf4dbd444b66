package gmailcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
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
	var asJSON bool
	command := &cobra.Command{
		Use: "show EMAIL", Short: "Show a user's identity and the key pairs that it uses",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			user, err := options.User(cmd.Context(), streams.Err, args[0])
			if err != nil {
				return err
			}
			return showIdentity(cmd.Context(), streams.Out, user, asJSON)
		},
	}
	options.Add(command.Flags())
	option.AddJSON(command, &asJSON)
	return command
}

func showIdentity(ctx context.Context, out io.Writer, user *gmail.User, asJSON bool) error {
	state, err := registered.ReadState(ctx, user)
	if err != nil {
		return err
	}
	shown := IdentityJSON{Email: user.Email(), Identity: state.Identity, KeyPairs: []ListedPair{}}
	for _, pair := range state.KeyPairs {
		if state.Identity != nil && state.Identity.Uses(pair.ID) {
			shown.KeyPairs = append(shown.KeyPairs, NewListedPair(pair))
		}
	}
	if asJSON {
		return stdio.JSON(out, shown)
	}
	rows := stdio.NewTable(out, user.Email())
	rows.Row("  identity", describe.Identity(state.Identity))
	for _, pair := range shown.KeyPairs {
		rows.Row("  key pair", fmt.Sprintf("%s, %s", pair.ID, describe.KeyPair(pair.KeyPair, state.Identity).Text))
		rows.Row("", "certificate SHA-256 "+pair.LeafSHA256)
	}
	return rows.Flush()
}
