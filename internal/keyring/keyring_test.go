package keyring

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/zalando/go-keyring"
)

// TestWithin: a keyring that hangs, breaks or has nothing is told as that.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		hangs := func() error { <-never; return nil }
		var unavailable *UnavailableError
		if err := within(t.Context(), hangs); !errors.As(err, &unavailable) {
			t.Errorf("one that hangs: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := within(ended, hangs); !errors.Is(err, context.Canceled) || errors.As(err, &unavailable) {
			t.Errorf("an interrupt: %v", err)
		}
		if err := within(t.Context(), func() error { panic("planted") }); !errors.As(err, &unavailable) {
			t.Errorf("one that breaks: %v", err)
		}
		if err := within(t.Context(), func() error { return keyring.ErrNotFound }); !errors.Is(err, ErrNotFound) || errors.As(err, &unavailable) {
			t.Errorf("an empty one: %v", err)
		}
		locked := errors.New("locked")
		if err := within(t.Context(), func() error { return locked }); !errors.As(err, &unavailable) || !errors.Is(err, locked) {
			t.Errorf("a locked one: %v", err)
		}
	})
}
