package secret_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestField(t *testing.T) {
	for name, test := range map[string]struct {
		keys []any
		want string
	}{
		"typed":                      {[]any{"271", "828"}, "271828"},
		"backspace":                  {[]any{"27ü", secret.Backspace, "1"}, "271"},
		"backspace at the beginning": {[]any{"27", secret.Home, secret.Backspace}, "27"},
		"delete":                     {[]any{"2ü7", secret.Home, secret.Right, secret.Delete}, "27"},
		"delete at the end":          {[]any{"27", secret.Delete}, "27"},
		"in the middle":              {[]any{"28", secret.Left, "71"}, "2718"},
		"home and end":               {[]any{"71", secret.Home, "2", secret.End, "8"}, "2718"},
		"left of all and right":      {[]any{"7", secret.Left, secret.Left, "2", secret.Right, secret.Right, "1"}, "271"},
		"cleared":                    {[]any{"31415", secret.Left, secret.Clear, "271"}, "271"},
		"cleared to the end":         {[]any{"27999", secret.Left, secret.Left, secret.Left, secret.ClearToEnd, "1"}, "271"},
		"too long":                   {[]any{"2718281", "82"}, "2718281"},
		"nothing":                    {[]any{secret.Left, secret.Right, secret.Delete, secret.ClearToEnd}, ""},
	} {
		var field secret.Field
		for _, key := range test.keys {
			switch key := key.(type) {
			case string:
				field.Insert([]byte(key), 8)
			case secret.Key:
				field.Press(key)
			}
		}
		if got := field.Text(); !got.Equal(secret.FromString(test.want)) || got.IsZero() != (test.want == "") {
			t.Errorf("%s: %q, want %q", name, got.Reveal(), test.want)
		}
	}
}
