package enrollcmd

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

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

// forget has Gmail opened anew, as the flags say by then.
func (a *account) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.domain, a.user = nil, nil
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
