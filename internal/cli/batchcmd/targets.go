package batchcmd

import (
	"context"
	"sync"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// targets is a batch's way to Gmail that says of each domain, before the first user of
// it is opened, that its users are about to be changed.
type targets struct {
	batch.Domain
	say func(domain string)

	mu   sync.Mutex
	said map[string]bool
}

func newTargets(domain batch.Domain, say func(domain string)) *targets {
	return &targets{Domain: domain, say: say, said: map[string]bool{}}
}

// User opens one user's settings.
func (t *targets) User(ctx context.Context, email string) (registration.Account, error) {
	t.tell(option.DomainOf(email))
	return t.Domain.User(ctx, email)
}

func (t *targets) tell(domain string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.said[domain] {
		t.said[domain] = true
		t.say(domain)
	}
}
