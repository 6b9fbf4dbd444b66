package hint

import (
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// ofRenewal is about what stops a renewal.
func (h hints) ofRenewal(err error) string {
	if cannot, found := errors.AsType[*enroll.CannotKeepKeyError](err); found {
		return fmt.Sprintf("to keep the key and renew its certificate alone: --same-key; only if it may be lost for ever, and with it the old mail: --confirm %d", cannot.Serial)
	}
	if not, found := errors.AsType[*enroll.NotEnrolledError](err); found {
		if not.Begun {
			return "go on with it first: cse-piv enroll " + not.Email
		}
		if not.MovedTo != nil {
			return h.either(
				fmt.Sprintf("go on with it on that computer, or name its folder with --evidence FOLDER; where that is lost, have a new key made in slot %s: cse-piv enroll %s --overwrite --confirm %d; the one in slot %s stays, for old mail", *not.Slot, not.Email, not.Serial, *not.MovedTo),
				"go on with it on that computer")
		}
		return "put the card in that the user is enrolled with; to enroll them with this one: cse-piv enroll " + not.Email
	}
	if early, found := errors.AsType[*enroll.NotDueError](err); found {
		days := int(time.Until(early.NotAfter).Hours()/24) + 1
		return fmt.Sprintf("to renew it all the same: --before %dd", days)
	}
	if begun, found := errors.AsType[*enroll.RenewalBegunError](err); found {
		if begun.Begun == enroll.RenewSameKey {
			return "add --same-key, and it goes on"
		}
		return "leave out --same-key, and it goes on"
	}
	if open, found := errors.AsType[*enroll.RenewingError](err); found {
		sameKey := ""
		if open.Kind == enroll.RenewSameKey {
			sameKey = " --same-key"
		}
		return h.either(fmt.Sprintf("finish it first: cse-piv renew %s%s; then cse-piv undo %[1]s takes it back", open.Email, sameKey),
			"go back to the card and finish it first; then it can be taken back")
	}
	if full, found := errors.AsType[*enroll.RetiredSlotsError](err); found && full.Copies {
		return "name fewer copies, or take a card with more free retired slots; to look: cse-piv card history"
	}
	switch {
	case failure.Is[*enroll.RetiredSlotsError](err):
		return "renew the certificate alone (--same-key), or enroll the user with a new card; to look: cse-piv card history"
	case errors.Is(err, enroll.ErrNotRenewed):
		return "have the issuer sign the request that is in the evidence folder, then " + h.again
	}
	return ""
}
