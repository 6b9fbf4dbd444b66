package cli

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
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
		if !slices.Contains(said, domainOf(email)) {
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

// TestWhereChangesGo: Google's own address and another are never mixed up, in what a
// command says and in what the start screen does.
func TestWhereChangesGo(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                              "users of example.com are changed now at Google's Gmail API, https://gmail.googleapis.com/",
		"https://gmail.googleapis.com":  "users of example.com are changed now at Google's Gmail API, https://gmail.googleapis.com/",
		"http://127.0.0.1:8080/":        "users of example.com are changed now at the Gmail API at http://127.0.0.1:8080/, which is not Google's",
		"https://gmail.googleapis.co/x": "users of example.com are changed now at the Gmail API at https://gmail.googleapis.co/x, which is not Google's",
	} {
		flags := gmailFlags{endpoint: endpoint}
		if got := flags.targetText("example.com"); got != want {
			t.Errorf("%q: %s", endpoint, got)
		}
		checks := foreignChecks(&enrollOptions{gmail: flags}, enroll.Dependencies{GmailEndpoint: flags.foreign()})
		if google := flags.foreign() == ""; len(checks) != 1 || checks[0].Name != "Gmail" || (checks[0].State == desk.CheckOK) != google || google != strings.Contains(checks[0].Detail, "Google's Gmail API, https://gmail.googleapis.com/") {
			t.Errorf("%q: the start screen says %+v", endpoint, checks)
		}
	}
}
