package enroll

import (
	"context"

	"github.com/cse-piv/cse-piv/internal/registration"
)

// checkUserStep asks Gmail what it has for the user. Wrong credentials, missing
// delegation and CSE switched off show here, before the card is touched, and so does
// another card that the user is enrolled with.
func checkUserStep() Step {
	return Step{ID: "check-user", Title: "check the user at Gmail", Kind: KindCheck, Changes: changesNothing,
		check: func(ctx context.Context, e *Enrollment) error {
			account, err := e.deps.Account(ctx, e.request.Email)
			if err != nil {
				return err
			}
			if e.registration, err = registration.Begin(ctx, account, e.request.Email, registration.Hooks{}); err != nil {
				return err
			}
			return e.settleMove(ctx)
		}}
}
