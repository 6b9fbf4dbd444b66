package batchcmd

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// nobody is a domain without users.
type nobody struct{ opened func(string) }

func (n nobody) User(_ context.Context, email string) (registration.Account, error) {
	n.opened(email)
	return nil, nil
}

// TestTargets: each domain is named once, and before anybody of it is opened, whoever
// comes first.
func TestTargets(t *testing.T) {
	var mu sync.Mutex
	var said []string
	way := newTargets(nobody{func(email string) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(said, option.DomainOf(email)) {
			t.Errorf("%s is opened before anybody was told", email)
		}
	}}, func(domain string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, domain)
	})
	var users sync.WaitGroup
	for range 20 {
		for _, email := range []string{"ada@example.com", "bob@sales.example.com", "Eve@Example.COM"} {
			users.Go(func() { _, _ = way.User(t.Context(), email) })
		}
	}
	users.Wait()
	if slices.Sort(said); !slices.Equal(said, []string{"example.com", "sales.example.com"}) {
		t.Errorf("told of %q", said)
	}
}
