package keyring

import (
	"context"
	"errors"
	"os/exec"
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

// TestInWords: where there is no D-Bus or no Secret Service, that is said, and not which program of
// whose is not there.
func TestInWords(t *testing.T) {
	_, noProgram := exec.LookPath("dbus-launch-that-nobody-has")
	for want, err := range map[string]error{
		"this session has no D-Bus, over which it is reached": noProgram,
		"no program of this session is a Secret Service":      errors.New("The name org.freedesktop.secrets was not provided by any .service files"),
		"locked": errors.New("locked"),
	} {
		if got := inWords(err).Error(); got != want {
			t.Errorf("%v: %q", err, got)
		}
	}
}
