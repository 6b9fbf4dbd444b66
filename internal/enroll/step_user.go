package enroll

import "context"

// checkUserStep asks Gmail what it has for the user. Wrong credentials, missing
// delegation and CSE switched off show here, before the card is touched.
func checkUserStep() Step {
	return Step{ID: "check-user", Title: "check the user at Gmail", Kind: KindCheck, Changes: changesNothing,
		check: func(ctx context.Context, e *Enrollment) error {
			account, err := e.world.Account(ctx, e.request.Email)
			if err != nil {
				return err
			}
			pairs, err := account.KeyPairs(ctx)
			if err != nil {
				return err
			}
			if pairs == nil {
				// A nil list would read as "not listed yet".
				pairs = pairs[:0:0]
			}
			e.account, e.knownPairs, e.newToGmail = account, pairs, len(pairs) == 0
			return nil
		}}
}
