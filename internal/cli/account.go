package cli

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// account opens Gmail when it is needed first, and again after a failure, so
// that a desk can be set up before its credentials are right.
type account struct {
	flags *gmailFlags

	mu     sync.Mutex
	domain *gmail.Domain
}

func (a *account) get() (*gmail.Domain, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.domain == nil {
		domain, err := a.flags.open(io.Discard)
		if err != nil {
			return nil, err
		}
		a.domain = domain
	}
	return a.domain, nil
}

// open opens one user's settings for an enrollment.
func (a *account) open(ctx context.Context, email string) (enroll.Account, error) {
	domain, err := a.get()
	if err != nil {
		return nil, err
	}
	return domain.User(ctx, email)
}

// look looks up what Gmail has for a user.
func (a *account) look(ctx context.Context, email string) (desk.AtGmail, error) {
	domain, err := a.get()
	if err != nil {
		return desk.AtGmail{}, err
	}
	user, err := domain.User(ctx, email)
	if err != nil {
		return desk.AtGmail{}, err
	}
	pairs, err := user.KeyPairs(ctx)
	if err != nil {
		return desk.AtGmail{}, err
	}
	found := desk.AtGmail{KeyPairs: pairs}
	if len(pairs) == 0 {
		return found, nil // an identity is made of key pairs
	}
	identity, err := user.Identity(ctx)
	if err == nil {
		found.Identity = &identity
	} else if !errors.Is(err, gmail.ErrNotFound) {
		return desk.AtGmail{}, err
	}
	return found, nil
}

// check says which credentials there are.
func (a *account) check() desk.Check {
	check := desk.Check{Name: "credentials", State: desk.CheckOK}
	domain, err := a.get()
	if err != nil {
		check.State, check.Detail, check.Fix = desk.CheckMissing, err.Error(), hintFor(err)
		return check
	}
	check.Detail = "service account " + domain.Account()
	return withWarnings(check, domain)
}
