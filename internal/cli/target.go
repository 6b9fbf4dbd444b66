package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// address returns where Gmail is asked.
func (g *gmailFlags) address() string {
	if g.endpoint == "" {
		return gmail.DefaultEndpoint
	}
	return g.endpoint
}

// place says for people where Gmail is asked: Google's own, or something in its place.
func (g *gmailFlags) place() string {
	if endpoint := g.foreign(); endpoint != "" {
		return fmt.Sprintf("the Gmail API at %s, which is not Google's", endpoint)
	}
	return fmt.Sprintf("Google's Gmail API, %s", gmail.DefaultEndpoint)
}

// targetText says which users are about to be changed, and where.
func (g *gmailFlags) targetText(domain string) string {
	return fmt.Sprintf("users of %s are changed now at %s", domain, g.place())
}

// domainOf returns the domain of an address, in lower case.
func domainOf(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return strings.ToLower(domain)
}

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
	t.tell(domainOf(email))
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
