package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

func newKeyPair(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "keypair", Short: "Look at the key pairs that Gmail has", Args: cobra.NoArgs, RunE: showHelp}
	command.AddCommand(newGmailList(streams, "List a user's key pairs", listKeyPairs))
	return command
}

func newIdentity(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "identity", Short: "Look at the identities that Gmail has", Args: cobra.NoArgs, RunE: showHelp}
	command.AddCommand(newGmailList(streams, "List a user's identities", listIdentities))
	return command
}

// newGmailList returns a command that lists something of one user's.
func newGmailList(streams *Streams, short string, list func(ctx context.Context, out io.Writer, user *gmail.User, asJSON bool) error) *cobra.Command {
	var options gmailFlags
	var asJSON bool
	command := &cobra.Command{
		Use: "list EMAIL", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			user, err := options.user(cmd.Context(), streams.Err, args[0])
			if err != nil {
				return err
			}
			return list(cmd.Context(), streams.Out, user, asJSON)
		},
	}
	options.add(command.Flags())
	jsonFlag(command, &asJSON)
	return command
}

// keyPairsJSON is the output of keypair list --json; the names are a contract.
type keyPairsJSON struct {
	User     string       `json:"user"`
	KeyPairs []listedPair `json:"key_pairs"`
}

func listKeyPairs(ctx context.Context, out io.Writer, user *gmail.User, asJSON bool) error {
	pairs, err := user.KeyPairs(ctx)
	if err != nil {
		return err
	}
	listed := []listedPair{}
	for _, pair := range pairs {
		listed = append(listed, listedPair{pair, keyKind(pair)})
	}
	if asJSON {
		return printJSON(out, keyPairsJSON{user.Email(), listed})
	}
	rows := newTable(out, "ID", "STATE", "LEAF SHA-256", "ADDRESSES", "KEY", "CARD")
	for _, pair := range pairs {
		state := "enabled"
		if !pair.Enabled {
			state = "disabled"
		}
		rows.row(pair.ID, state, short(pair.LeafSHA256), strings.Join(pair.Emails, " "), describe.PrivateKey(pair), strings.Join(pair.HardwareDescriptions, "; "))
	}
	return rows.flush()
}

// identitiesJSON is the output of identity list --json; the names are a contract.
type identitiesJSON struct {
	User       string           `json:"user"`
	Identities []gmail.Identity `json:"identities"`
}

func listIdentities(ctx context.Context, out io.Writer, user *gmail.User, asJSON bool) error {
	identities, err := user.Identities(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, identitiesJSON{user.Email(), append([]gmail.Identity{}, identities...)})
	}
	rows := newTable(out, "EMAIL", "PRIMARY", "SIGNING", "ENCRYPTION")
	for _, identity := range identities {
		rows.row(identity.Email, identity.PrimaryKeyPairID, identity.SigningKeyPairID, identity.EncryptionKeyPairID)
	}
	return rows.flush()
}

func jsonFlag(command *cobra.Command, value *bool) {
	command.Flags().BoolVar(value, "json", false, "print JSON")
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// short returns the start of a fingerprint, enough for a person to compare.
func short(fingerprint string) string {
	if len(fingerprint) > 16 {
		return fingerprint[:16]
	}
	return fingerprint
}
