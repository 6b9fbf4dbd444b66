package terminationcmd

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// undoFlags are of the command undo.
type undoFlags struct {
	Flags
	keyPair    string
	noIdentity bool
	serial     uint32
}

// NewUndo returns the command undo.
func NewUndo(streams *stdio.Streams) *cobra.Command {
	var options undoFlags
	command := &cobra.Command{
		Use: "undo EMAIL", Short: "A card was enrolled for the wrong person: take the enrollment back at Gmail",
		Long: "The user's identity at Gmail becomes what it was before the newest enrollment, as its evidence says:\n" +
			"it uses the key pairs of before, or is deleted. The key pairs that the enrollment registered are\n" +
			"disabled. A local CA revokes the certificates; of others it is said whom to ask. The card keeps its\n" +
			"key and certificate, unless --clear-card takes them off it: then it is enrolled for the right person as\n" +
			"any card. Else, and before firmware 5.7, which deletes no key, enroll replaces them with --overwrite.\n\n" +
			"An enrollment or replacement that was begun and that Gmail has nothing of yet is given up, such as when\n" +
			"the card that was to be replaced is found again: Gmail stays as it is, and the new card keeps its key.\n\n" +
			"After a failure or an interrupt, run the same command again: it goes on where it was.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			request, err := options.request(args[0])
			if err != nil {
				return err
			}
			request.Clear = options.clearing.serial != 0
			return options.Run(cmd.Context(), streams, "undo", []termination.Request{request})
		},
	}
	options.add(command)
	options.clearing.add(command)
	flags := command.Flags()
	option.AddSerial(flags, &options.serial, "`serial` number of the card, where the user was enrolled with several")
	flags.StringVar(&options.Evidence, "evidence", "", "`folder` that receipts and proofs are kept in")
	setting.Mark(flags, "evidence")
	flags.StringVar(&options.keyPair, "keypair", "", "`ID` of the key pair that the identity used before, where the evidence does not say it")
	flags.BoolVar(&options.noIdentity, "no-identity", false, "there was no identity before, where the evidence does not say it")
	return command
}

// request asks for what undoes the newest enrollment of a user.
func (f *undoFlags) request(email string) (termination.Request, error) {
	if f.keyPair != "" && f.noIdentity {
		return termination.Request{}, usage.Errorf("--keypair and --no-identity exclude each other")
	}
	request, err := UndoRequest(f.Evidence, email, f.serial)
	request.KeyPairs = f.KeyPairs()
	unknown := failure.Is[*enroll.UnknownBeforeError](err)
	switch {
	case err != nil && !unknown:
	case f.keyPair != "":
		request.Identity, err = &gmail.Identity{Email: email, PrimaryKeyPairID: f.keyPair}, nil
	case f.noIdentity:
		request.Identity, err = nil, nil
	}
	return request, err
}

// giveUp has nobody go on with the enrollment that was undone.
func giveUp(ctx context.Context, evidence string, plan termination.Plan) error {
	folder, err := option.FolderOr(evidence, "evidence")
	if err != nil {
		return err
	}
	return enroll.GiveUp(ctx, folder, plan.Email, plan.Serial, time.Now())
}

// UndoRequest asks for what undoes the newest enrollment of a user, with that card unless it
// is 0. With an *[enroll.UnknownBeforeError] all but the identity of before is known.
func UndoRequest(evidence, email string, serial uint32) (termination.Request, error) {
	request := termination.Request{Email: email, Reason: termination.ReasonWrongPerson}
	folder, err := option.FolderOr(evidence, "evidence")
	if err != nil {
		return request, err
	}
	earlier, err := enroll.ReadEarlier(folder, email, serial)
	if err != nil {
		return request, err
	}
	if earlier.Renewing != "" {
		return request, &enroll.RenewingError{Email: email, Serial: earlier.Serial, Kind: earlier.Renewing}
	}
	request.Serial, request.Only, request.Identity = earlier.Serial, slices.Compact(earlier.KeyPairs), earlier.Before
	request.Begun, request.GivenUp = earlier.Open, earlier.GivenUp
	if !earlier.Known {
		return request, &enroll.UnknownBeforeError{Email: email}
	}
	return request, nil
}
