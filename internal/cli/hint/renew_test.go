package hint_test

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// renewalCases are the errors of renewals, and what their hints say.
func renewalCases() []hintCase {
	slot, movedTo := piv.SlotKeyManagement, piv.SlotRetiredFirst
	return []hintCase{
		{&enroll.RetiredSlotsError{Serial: 4711}, "cse-piv card history"},
		{&enroll.RetiredSlotsError{Serial: 4711, Copies: true, Needed: 2}, "name fewer copies, or take a card with more free retired slots; to look: cse-piv card history"},
		{&enroll.CannotKeepKeyError{Serial: 4711}, "--confirm 4711"},
		{&enroll.NotEnrolledError{Email: "ada@example.com"}, "cse-piv enroll ada@example.com"},
		{&enroll.NotEnrolledError{Email: "ada@example.com", Begun: true}, "go on with it first"},
		{&enroll.NotEnrolledError{Email: "ada@example.com", Serial: 4711, Slot: &slot, MovedTo: &movedTo}, "cse-piv enroll ada@example.com --overwrite --confirm 4711; the one in slot 82 stays"},
		{&enroll.NotDueError{Email: "ada@example.com", NotAfter: time.Now().Add(100*24*time.Hour + time.Hour)}, "to renew it all the same: --before 101d"},
		{&enroll.RenewalBegunError{Begun: enroll.RenewSameKey}, "add --same-key"},
		{&enroll.RenewalBegunError{}, "leave out --same-key"},
		{&enroll.RenewingError{Email: "ada@lab.example"}, "cse-piv renew ada@lab.example; then cse-piv undo ada@lab.example"},
		{&enroll.RenewingError{Email: "ada@lab.example", Kind: enroll.RenewSameKey}, "cse-piv renew ada@lab.example --same-key"},
		{enroll.ErrNotRenewed, "sign the request"},
	}
}

// ofRenewals reports whether only a renewal can end with the error, which no desk makes.
func ofRenewals(err error) bool {
	return failure.Is[*enroll.RetiredSlotsError](err) || failure.Is[*enroll.CannotKeepKeyError](err) || failure.Is[*enroll.RenewalBegunError](err) || failure.Is[*enroll.NotDueError](err)
}
