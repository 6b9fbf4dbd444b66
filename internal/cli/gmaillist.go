package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

func newKeyPair(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "keypair", Short: "Look at the key pairs that Gmail has", Args: cobra.NoArgs, RunE: showHelp}
	command.AddCommand(newKeyPairList(streams))
	return command
}

func newKeyPairList(streams *Streams) *cobra.Command {
	var options gmailFlags
	var asJSON bool
	command := &cobra.Command{
		Use: "list EMAIL", Short: "List a user's key pairs", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			user, err := options.user(cmd.Context(), streams.Err, args[0])
			if err != nil {
				return err
			}
			pairs, err := user.KeyPairs(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(streams.Out, struct {
					User     string          `json:"user"`
					KeyPairs []gmail.KeyPair `json:"key_pairs"`
				}{args[0], append([]gmail.KeyPair{}, pairs...)})
			}
			rows := newTable(streams.Out, "ID", "STATE", "LEAF SHA-256", "ADDRESSES", "CARD")
			for _, pair := range pairs {
				state := "enabled"
				if !pair.Enabled {
					state = "disabled"
				}
				rows.row(pair.ID, state, short(pair.LeafSHA256), strings.Join(pair.Emails, " "), strings.Join(pair.HardwareDescriptions, "; "))
			}
			return rows.flush()
		},
	}
	options.add(command.Flags())
	jsonFlag(command, &asJSON)
	return command
}

func newIdentity(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "identity", Short: "Look at the identities that Gmail has", Args: cobra.NoArgs, RunE: showHelp}
	command.AddCommand(newIdentityList(streams))
	return command
}

func newIdentityList(streams *Streams) *cobra.Command {
	var options gmailFlags
	var asJSON bool
	command := &cobra.Command{
		Use: "list EMAIL", Short: "List a user's identities", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			user, err := options.user(cmd.Context(), streams.Err, args[0])
			if err != nil {
				return err
			}
			identities, err := user.Identities(cmd.Context())
			if err != nil {
				return err
			}
			receipts := []enroll.ReceiptIdentity{}
			for _, identity := range identities {
				receipts = append(receipts, enroll.ReceiptIdentity(identity))
			}
			if asJSON {
				return printJSON(streams.Out, struct {
					User       string                   `json:"user"`
					Identities []enroll.ReceiptIdentity `json:"identities"`
				}{args[0], receipts})
			}
			rows := newTable(streams.Out, "EMAIL", "PRIMARY", "SIGNING", "ENCRYPTION")
			for _, identity := range receipts {
				rows.row(identity.Email, identity.PrimaryKeyPairID, identity.SigningKeyPairID, identity.EncryptionKeyPairID)
			}
			return rows.flush()
		},
	}
	options.add(command.Flags())
	jsonFlag(command, &asJSON)
	return command
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
