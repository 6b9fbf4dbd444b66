package enrollcmd

import (
	"context"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// checkComplete returns a *missingError for what the command line lacks. It asks Gmail
// nothing and changes nothing; of the card it reads whether there will be secrets to
// keep. An enrollment that was begun before may need less than a first one, which it
// finds out by itself.
func (o *Options) checkComplete(ctx context.Context, request enroll.Request) error {
	if err := o.checkNewPIN(ctx, request); err != nil {
		return err
	}
	var missing []error
	if request.Email == "" {
		missing = append(missing, failure.ErrNoAddress)
	}
	if first, err := o.isFirst(request.Email); err != nil {
		return err
	} else if first && request.Renew == "" {
		if o.Issuer.Name == "" && request.Keys[0].Source == enroll.SourceGenerate {
			missing = append(missing, enroll.ErrNoIssuer)
		}
		if o.needsEscrow(ctx, request) {
			missing = append(missing, enroll.NoEscrow())
		}
	}
	if o.Yes && request.PIN.IsZero() {
		missing = append(missing, &enroll.MissingError{What: "the card's PIN", Question: enroll.QuestionPIN})
	}
	if len(missing) == 0 {
		return nil
	}
	chosen, err := o.Gmail.Chosen()
	if err != nil {
		return err
	}
	if !chosen {
		_, err := gmail.Open(gmail.Config{}) // which says so
		missing = append(missing, err)
	}
	return &failure.MissingError{All: missing}
}

// isFirst reports whether nothing is known of an enrollment of the user.
func (o *Options) isFirst(email string) (bool, error) {
	folder, err := option.FolderOr(o.Evidence, "evidence")
	if err != nil || email == "" {
		return true, err
	}
	earlier, err := evidence.Newest(folder, email)
	return err == nil && earlier == nil, nil // what is wrong with it, the enrollment says
}

// checkNewPIN refuses a PIN that the card could not be given in place of the factory one.
func (o *Options) checkNewPIN(ctx context.Context, request enroll.Request) error {
	if request.PIN.IsZero() {
		return nil
	}
	refused := request.CheckNewPIN(request.PIN)
	if refused == nil {
		return nil // the card need not be asked
	}
	factory := request.NewCard
	_ = option.UseCard(ctx, o.serial, func(card *piv.Card) error {
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
func (o *Options) needsEscrow(ctx context.Context, request enroll.Request) bool {
	if o.Escrow.Plain || len(o.Escrow.To) > 0 || !request.PUK.IsZero() && !request.ManagementKey.IsZero() {
		return false
	}
	needed := false
	_ = option.UseCard(ctx, o.serial, func(card *piv.Card) error {
		protection, err := card.Protection(ctx)
		needed = err == nil && (protection.PUK.Factory == piv.Yes && request.PUK.IsZero() || protection.ManagementKey.Factory == piv.Yes && request.ManagementKey.IsZero())
		return err
	})
	return needed
}
