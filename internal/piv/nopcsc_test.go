//go:build !windows && !(cgo && (linux || darwin))

package piv_test

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
)

func TestABuildWithoutPCSCSaysSo(t *testing.T) {
	_, listErr := piv.List(t.Context())
	_, openErr := piv.Open(t.Context(), 0, piv.Options{})
	for name, err := range map[string]error{"list": listErr, "open": openErr, "wait": piv.Wait(t.Context(), 1)} {
		if !errors.Is(err, piv.ErrNoPCSC) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
