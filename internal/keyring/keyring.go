// Package keyring keeps secrets in the keyring of the system: the Secret Service over D-Bus on
// Linux, the Credential Manager on Windows, the login keychain on macOS. On none of them does a
// secret go through a command line.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// service is what all secrets of this program are kept under.
const service = "cse-piv"

// limit is how long a keyring may take; it may ask a person to unlock it.
const limit = time.Minute

// ErrNotFound is returned where the keyring has no secret of a name.
var ErrNotFound = errors.New("the system keyring has nothing of this name")

// UnavailableError is returned where there is no keyring, or it stays locked.
type UnavailableError struct{ Err error }

// Error says why.
func (e *UnavailableError) Error() string {
	return "the system keyring cannot be used: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Get returns the secret of a name. Errors: ErrNotFound, *UnavailableError, or the context's.
func Get(ctx context.Context, name string) (secret.Secret, error) {
	var kept string
	err := within(ctx, func() (err error) {
		kept, err = keyring.Get(service, name)
		return err
	})
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.FromString(kept), nil
}

// Set keeps a secret under a name, in place of what was kept there. Errors: *UnavailableError, or
// the context's.
func Set(ctx context.Context, name string, value secret.Secret) error {
	return within(ctx, func() error { return keyring.Set(service, name, string(value.Reveal())) })
}

// Delete forgets the secret of a name. Errors are those of Get.
func Delete(ctx context.Context, name string) error {
	return within(ctx, func() error { return keyring.Delete(service, name) })
}

// within waits for the keyring, which takes no context: what hangs is left behind. The library
// reads what a service answers without checking it, so it may panic.
func within(ctx context.Context, use func() error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				ended <- fmt.Errorf("its answer makes no sense: %v", cause)
			}
		}()
		ended <- use()
	}()
	select {
	case err := <-ended:
		switch {
		case err == nil:
			return nil
		case errors.Is(err, keyring.ErrNotFound):
			return ErrNotFound
		}
		return &UnavailableError{inWords(err)}
	case <-bounded.Done():
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &UnavailableError{errors.New("it does not answer, or nobody unlocks it")}
}

// inWords says what an error of the keyring's service means, where that is known. D-Bus is started
// by a program of its own where no session has one (D-Bus specification, "Starting a bus").
func inWords(err error) error {
	text := err.Error()
	switch {
	case errors.As(err, new(*exec.Error)), strings.Contains(text, "dbus-launch"), strings.Contains(text, "DBUS_SESSION_BUS_ADDRESS"), strings.Contains(text, "couldn't determine address of session bus"):
		return errors.New("this session has no D-Bus, over which it is reached")
	case strings.Contains(text, "org.freedesktop.secrets"):
		return errors.New("no program of this session is a Secret Service")
	}
	return err
}
