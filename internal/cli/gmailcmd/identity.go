package gmailcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// NewIdentity returns the command identity.
func NewIdentity(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "identity", Short: "Look at and change the identities that Gmail has", RunE: usage.ShowHelp}
	command.AddCommand(newGmailList(streams, "List users' identities", listIdentities, "EMAIL", "PRIMARY", "SIGNING", "ENCRYPTION"), newIdentityShow(streams), newIdentitySet(streams), newIdentityDelete(streams))
	return command
}

// IdentitiesJSON is a user in the output of identity list --json; the names are a
// contract.
type IdentitiesJSON struct {
	Email      string           `json:"email"`
	Identities []gmail.Identity `json:"identities"`
}

func listIdentities(ctx context.Context, user *gmail.User) (any, [][]any, error) {
	identities, err := user.Identities(ctx)
	if err != nil {
		return nil, nil, err
	}
	var lines [][]any
	for _, identity := range identities {
		lines = append(lines, []any{identity.Email, identity.PrimaryKeyPairID, identity.SigningKeyPairID, identity.EncryptionKeyPairID})
	}
	return IdentitiesJSON{Email: user.Email(), Identities: append([]gmail.Identity{}, identities...)}, lines, nil
}

func newIdentitySet(streams *stdio.Streams) *cobra.Command {
	var options changeFlags
	var both, sign, encrypt string
	command := &cobra.Command{
		Use: "set EMAIL | --from FILE", Short: "Say which key pairs users sign and others encrypt with",
		Long: "Gmail signs the user's mail with the key pair from then on, and others encrypt to its certificate.\n" +
			"The key pairs that were used before stay enabled, so that old mail stays readable.\n\n" +
			"A file has a column key_pair_id, of the key pair that signs and decrypts.",
		RunE: func(cmd *cobra.Command, args []string) error {
			rows := option.UsersNamed(args)
			switch {
			case options.from != "" && (both != "" || sign != "" || encrypt != ""):
				return usage.Errorf("--from has the key pairs of each user: leave out --keypair, --signing and --encryption")
			case options.from == "" && len(args) == 1 && (both != "" && (sign != "" || encrypt != "") || both == "" && (sign == "" || encrypt == "")):
				return usage.Errorf("an identity needs --keypair, or both --signing and --encryption")
			}
			wanted, err := options.wanted(cmd.Context(), rows, true, func(row option.User) registered.Change {
				identity := gmail.Identity{Email: row.Email, PrimaryKeyPairID: row.KeyPairID}
				if options.from == "" {
					identity = gmail.Identity{Email: row.Email, PrimaryKeyPairID: both, SigningKeyPairID: sign, EncryptionKeyPairID: encrypt}
				}
				return registered.Change{Verb: registered.VerbSet, Identity: identity}
			})
			if err != nil {
				return err
			}
			if email := twice(wanted); email != "" {
				return usage.Errorf("--from %s has %s twice: an identity has one key pair here", options.from, email)
			}
			return runChanges(cmd.Context(), streams, &options, "identity set", wanted)
		},
	}
	options.add(command)
	command.Flags().StringVar(&both, "keypair", "", "`ID` of the key pair that signs and decrypts")
	command.Flags().StringVar(&sign, "signing", "", "`ID` of the key pair that signs")
	command.Flags().StringVar(&encrypt, "encryption", "", "`ID` of the key pair that decrypts")
	return command
}

// twice returns an address that stands there twice; "" for none.
func twice(wanted []wantedChange) string {
	seen := map[string]bool{}
	for _, change := range wanted {
		if seen[ledger.Key(change.email)] {
			return change.email
		}
		seen[ledger.Key(change.email)] = true
	}
	return ""
}

func newIdentityDelete(streams *stdio.Streams) *cobra.Command {
	var options changeFlags
	command := &cobra.Command{
		Use: "delete EMAIL... | --from FILE", Short: "Take users' identities away: nobody can encrypt to them, and they cannot sign",
		Long: "The key pairs stay as they are, so that old mail stays readable with the card.",
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := options.wanted(cmd.Context(), option.UsersNamed(args), false, func(option.User) registered.Change {
				return registered.Change{Verb: registered.VerbDelete}
			})
			if err != nil {
				return err
			}
			return runChanges(cmd.Context(), streams, &options, "identity delete", wanted)
		},
	}
	options.add(command)
	return command
}
