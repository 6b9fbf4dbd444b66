package gmail_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// TestEveryCallIsTold: each call that was made is told once with its end, also each that is
// made again, and what was never sent is not.
func TestEveryCallIsTold(t *testing.T) {
	p := openLab(t)
	var mu sync.Mutex
	var told []string
	domain, err := gmail.Open(gmail.Config{CredentialsFile: p.credentials, Endpoint: p.url, RetryBase: 1, OnCall: func(call gmail.Call) {
		mu.Lock()
		defer mu.Unlock()
		answer := "ok"
		if call.Err != nil {
			answer = string(call.Err.Kind)
		}
		if call.Took <= 0 {
			t.Errorf("%s took %v", call.Method, call.Took)
		}
		told = append(told, call.Method+" "+answer)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer domain.Close()
	p.fault = func(method string, n int) workspace.Fault {
		switch {
		case method == "keypairs.list" && n == 1:
			return workspace.Fault{Status: http.StatusServiceUnavailable}
		case method == "token" && n == 1:
			return workspace.Fault{Status: http.StatusInternalServerError}
		}
		return workspace.Fault{}
	}
	u, err := domain.User(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.KeyPairs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Identity(t.Context()); !errors.Is(err, gmail.ErrNotFound) {
		t.Error(err)
	}
	want := []string{"token unavailable", "token ok", "keypairs.list unavailable", "keypairs.list ok", "identities.get not-found"}
	if !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
}
