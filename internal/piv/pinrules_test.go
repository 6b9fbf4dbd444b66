package piv_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// A new PIN is none that everybody tries first.
func TestCheckNewPIN(t *testing.T) {
	for value, ok := range map[string]bool{
		"271828": true, "kNr7!qX2": true, "112233": true, "135791": true, "12345": false,
		"123456": false, "111111": false, "00000000": false, "234567": false, "987654": false, "abcdef": false, "AAAAAA": false,
	} {
		if err := piv.CheckNewPIN(secret.FromString(value)); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}

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
