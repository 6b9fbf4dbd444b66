package batch

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

func TestBreaker(t *testing.T) {
	scope := &gmail.Error{Kind: gmail.KindScope}
	for name, test := range map[string]struct {
		between error
		stops   bool
	}{
		"nobody gets through":        {scope, true},
		"outages in between":         {&gmail.Error{Kind: gmail.KindUnavailable}, true},
		"somebody gets through":      {nil, false},
		"somebody is refused alone":  {&gmail.Error{Kind: gmail.KindCSEOff}, false},
		"it fails in different ways": {&gmail.Error{Kind: gmail.KindAPIDisabled}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var b breaker
			var err error
			for range 2 * breakAfter {
				for _, end := range []error{scope, test.between} {
					if err == nil {
						err = b.note(end)
					}
				}
			}
			var stopped *StoppedError
			if errors.As(err, &stopped) != test.stops || test.stops && !errors.Is(err, gmail.ErrScope) {
				t.Error(err)
			}
		})
	}
	t.Run("nobody gets through any more", func(t *testing.T) {
		var b breaker
		for range 100 {
			if err := b.note(nil); err != nil {
				t.Fatal(err)
			}
		}
		tries := 1
		for ; b.note(scope) == nil; tries++ {
		}
		if tries != breakAfter {
			t.Errorf("stopped after %d", tries)
		}
	})
}
