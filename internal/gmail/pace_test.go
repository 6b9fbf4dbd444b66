package gmail_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

func TestEveryCallIsPaced(t *testing.T) {
	p := openLab(t)
	var asked atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	domain, err := gmail.Open(gmail.Config{CredentialsFile: p.credentials, Endpoint: p.url, Pace: func(ctx context.Context) error {
		if asked.Add(1) == 3 {
			cancel()
		}
		return ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer domain.Close()
	u, err := domain.User(ctx, bob)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.KeyPairs(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := u.KeyPairs(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was not allowed: %v", err)
	}
	if n := p.calls["token"] + p.calls["keypairs.list"]; n != 2 || asked.Load() != 3 {
		t.Errorf("%d calls, asked %d times", n, asked.Load())
	}
}
