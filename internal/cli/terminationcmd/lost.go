package terminationcmd

import (
	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// NewLost returns the command lost.
func NewLost(streams *stdio.Streams) *cobra.Command {
	var options Flags
	var reason, both, sign, encrypt string
	var serial uint32
	var reasons []string
	for _, reason := range termination.LossReasons() {
		reasons = append(reasons, string(reason))
	}
	command := &cobra.Command{
		Use: "lost EMAIL", Short: "A card is lost, stolen or broken: end its use at Gmail, and say what can still be read",
		Long: "The user's identity at Gmail is deleted, so that nobody encrypts to the card any more, or moved to\n" +
			"another key pair that is named. The card's key pairs are disabled, or of a broken card left. A\n" +
			"local CA revokes the certificates of a lost or stolen card; of others it is said whom to ask.\n" +
			"Nothing is obliterated. A new card for the user: cse-piv replace.\n\n" +
			"After a failure or an interrupt, run the same command again: it goes on where it was.",
		Example: "  cse-piv lost ada@example.com --reason stolen --dry-run\n" +
			"  cse-piv lost ada@example.com --serial 12345678 --keypair ANotherId",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			request := termination.Request{Email: args[0], Reason: termination.Reason(reason), Serial: serial, KeyPairs: options.KeyPairs()}
			switch {
			case both != "" && (sign != "" || encrypt != ""), (sign == "") != (encrypt == ""):
				return usage.Errorf("an identity needs --keypair, or both --signing and --encryption")
			case both != "" || sign != "":
				request.Identity = &gmail.Identity{Email: args[0], PrimaryKeyPairID: both, SigningKeyPairID: sign, EncryptionKeyPairID: encrypt}
			}
			return options.Run(cmd.Context(), streams, "lost", []termination.Request{request})
		},
	}
	options.add(command)
	flags := command.Flags()
	option.AddChoice(flags, &reason, "reason", "what happened (default lost): a `reason`", reasons...)
	flags.Lookup("reason").DefValue, reason = "", string(termination.ReasonLost)
	option.AddSerial(flags, &serial, "`serial` number of the card; needed where the user has several")
	flags.StringVar(&both, "keypair", "", "`ID` of the key pair of another card that signs and decrypts from then on")
	flags.StringVar(&sign, "signing", "", "`ID` of the key pair of another card that signs from then on")
	flags.StringVar(&encrypt, "encryption", "", "`ID` of the key pair of another card that decrypts from then on")
	return command
}
