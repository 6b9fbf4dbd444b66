package enrollcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// account opens Gmail when it is needed first, and again after a failure, so
// that a desk can be set up before its credentials are right.
type account struct {
	flags *option.Gmail
	ctx   context.Context // of all the time at the desk

	mu     sync.Mutex
	domain *gmail.Domain
	user   *gmail.User // who was opened last, with the token
	retry  func(desk.Retried)
}

// retries has tell called each time that a call is to be made again.
func (a *account) retries(tell func(desk.Retried)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.retry = tell
}

func (a *account) retried(_ string, err error, in time.Duration) {
	a.mu.Lock()
	tell := a.retry
	a.mu.Unlock()
	if tell != nil {
		tell(desk.Retried{Err: err, At: time.Now().Add(in)})
	}
}

func (a *account) get() (*gmail.Domain, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.domain == nil {
		config, err := a.flags.Config(a.ctx, io.Discard)
		if err != nil {
			return nil, err
		}
		config.OnRetry = a.retried
		domain, err := option.OpenGmail(config, io.Discard)
		if err != nil {
			return nil, err
		}
		a.domain = domain
	}
	return a.domain, nil
}

// open opens one user's settings for an enrollment or a preview of one.
func (a *account) open(ctx context.Context, email string) (registration.Account, error) {
	domain, err := a.get()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	known := a.user
	a.mu.Unlock()
	if known != nil && known.Email() == email {
		return known, nil
	}
	opened, err := domain.User(ctx, email)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.user = opened
	a.mu.Unlock()
	return opened, nil
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
		check.State, check.Detail, check.Fix = desk.CheckMissing, strings.TrimPrefix(err.Error(), check.Name+": "), hint.AtDesk(err)
		return check
	}
	check.Detail = domain.Credentials().String()
	if tokens := domain.ForeignTokens(); tokens != "" && !strings.HasPrefix(tokens, strings.TrimSuffix(a.flags.Endpoint, "/")+"/") {
		check.State, check.Detail = desk.CheckWarning, check.Detail+"; "+option.TokensText(tokens)
	}
	return withWarnings(check, domain)
}

// checkDomain asks Gmail for a user, which tells whether the credentials are
// good for their domain: delegation, API, client-side encryption.
func (a *account) checkDomain(ctx context.Context, email string) desk.Check {
	_, name, _ := strings.Cut(email, "@")
	check := desk.Check{Name: "domain", State: desk.CheckOK}
	_, err := a.look(ctx, email)
	switch {
	case err == nil:
		check.Detail = fmt.Sprintf("%s: Gmail answers for %s", name, email)
		return check
	case errors.Is(err, gmail.ErrCSEOff), errors.Is(err, gmail.ErrNoUser):
		check.State = desk.CheckWarning // others of the domain may be better off
	default:
		check.State = desk.CheckMissing
	}
	check.Detail, check.Fix = fmt.Sprintf("%s: %v", name, err), hint.AtDesk(err)
	return check
}
