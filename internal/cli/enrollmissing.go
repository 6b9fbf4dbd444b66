package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// missingError lists all that a command line lacks and nobody can be asked for.
type missingError struct{ all []error }

func (e *missingError) Error() string {
	texts := make([]string, len(e.all))
	for i, err := range e.all {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e *missingError) Unwrap() []error { return e.all }

// checkComplete returns a *missingError for what the command line lacks. It asks Gmail
// nothing and changes nothing; of the card it reads whether there will be secrets to
// keep. An enrollment that was begun before may need less than a first one, which it
// finds out by itself.
func (o *enrollOptions) checkComplete(ctx context.Context, request enroll.Request) error {
	if err := o.checkNewPIN(ctx, request); err != nil {
		return err
	}
	var missing []error
	if request.Email == "" {
		missing = append(missing, errNoAddress)
	}
	if first, err := o.isFirst(request.Email); err != nil {
		return err
	} else if first {
		if o.issuer.issuer == "" && request.Keys[0].Source == enroll.SourceGenerate {
			missing = append(missing, enroll.ErrNoIssuer)
		}
		if o.needsEscrow(ctx, request) {
			missing = append(missing, enroll.NoEscrow())
		}
	}
	if o.yes && request.PIN.IsZero() {
		missing = append(missing, &enroll.MissingError{What: "the card's PIN", Question: enroll.QuestionPIN})
	}
	if len(missing) == 0 {
		return nil
	}
	var failed *gmail.Error
	if _, err := gmail.Open(o.gmail.config()); errors.As(err, &failed) && failed.Detail == gmail.DetailNoCredentials {
		missing = append(missing, err)
	}
	return &missingError{missing}
}

var errNoAddress = errors.New("the user's address is missing")

// isFirst reports whether nothing is known of an enrollment of the user.
func (o *enrollOptions) isFirst(email string) (bool, error) {
	folder, err := folderOr(o.evidence, "evidence")
	if err != nil || email == "" {
		return true, err
	}
	earlier, err := evidence.Newest(folder, email)
	return err == nil && earlier == nil, nil // what is wrong with it, the enrollment says
}

// checkNewPIN refuses a PIN that the card could not be given in place of the factory one.
func (o *enrollOptions) checkNewPIN(ctx context.Context, request enroll.Request) error {
	if request.PIN.IsZero() {
		return nil
	}
	refused := enroll.CheckNewPIN(request.PIN)
	if refused == nil {
		return nil // the card need not be asked
	}
	factory := request.NewCard
	_ = useCard(ctx, o.serial, func(card *piv.Card) error {
		protection, err := card.Protection(ctx)
		factory = err == nil && (protection.PIN.Factory == piv.Yes || protection.PIN.Factory == piv.Unknown && request.NewCard)
		return err
	})
	if factory {
		return refused
	}
	return nil
}

// needsEscrow reports whether the card will get a PUK or management key that nobody
// gave, and no place was named to keep them. A card that cannot be read is for the
// enrollment to tell of.
func (o *enrollOptions) needsEscrow(ctx context.Context, request enroll.Request) bool {
	if o.escrow.plain || len(o.escrow.to) > 0 || !request.PUK.IsZero() && !request.ManagementKey.IsZero() {
		return false
	}
	needed := false
	_ = useCard(ctx, o.serial, func(card *piv.Card) error {
		protection, err := card.Protection(ctx)
		needed = err == nil && (protection.PUK.Factory == piv.Yes && request.PUK.IsZero() || protection.ManagementKey.Factory == piv.Yes && request.ManagementKey.IsZero())
		return err
	})
	return needed
}
