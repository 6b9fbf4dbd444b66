package enroll

import (
	"context"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// checkUserStep asks Gmail what it has for the user. Wrong credentials, missing
// delegation and CSE switched off show here, before the card is touched, and so does
// another card that the user is enrolled with.
func checkUserStep() Step {
	return Step{ID: "check-user", Title: "check the user at Gmail", Kind: KindCheck, Changes: changesNothing,
		check: func(ctx context.Context, e *enrollment) error {
			account, err := e.deps.Account(ctx, e.request.Email)
			if err != nil {
				return err
			}
			if e.user.registration, err = registration.Begin(ctx, account, e.request.Email, registration.Hooks{}); err != nil {
				return err
			}
			return e.checkOtherCards(ctx)
		}}
}

// userResult is what check-user found at Gmail.
type userResult struct {
	registration   *registration.Registration // nil where Gmail could not be asked, in a preview
	movesFrom      []string                   // the cards from which Gmail moves to this one
	identityBefore *evidence.IdentityJournal  // the identity
}
