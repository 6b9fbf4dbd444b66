package piv_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestCheckPINAndPUK(t *testing.T) {
	for _, test := range []struct {
		value string
		ok    bool
	}{
		{"123456", true}, {"12345678", true}, {"aB3 !~", true},
		{"", false}, {"12345", false}, {"123456789", false}, {"12345ö", false}, {"12345\x00", false}, {"123456\n", false},
	} {
		for name, check := range map[string]func(secret.Secret) error{"PIN": piv.CheckPIN, "PUK": piv.CheckPUK} {
			err := check(secret.FromString(test.value))
			if (err == nil) != test.ok {
				t.Errorf("%s %q: %v", name, test.value, err)
			}
		}
	}
}
