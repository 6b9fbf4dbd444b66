package issuer_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/issuer"
)

func TestWaitsListsEveryCertificateThatIsWaitedFor(t *testing.T) {
	signing, encryption := &issuer.WaitingError{Request: "9c"}, &issuer.WaitingError{Request: "9d"}
	other := errors.New("something else")
	for name, test := range map[string]struct {
		err  error
		want []*issuer.WaitingError
	}{
		"nothing":           {nil, nil},
		"something else":    {other, nil},
		"one":               {signing, []*issuer.WaitingError{signing}},
		"one in a step":     {fmt.Errorf("get the certificate: %w", signing), []*issuer.WaitingError{signing}},
		"two in a step":     {fmt.Errorf("get the certificate: %w", errors.Join(signing, encryption)), []*issuer.WaitingError{signing, encryption}},
		"two within others": {errors.Join(other, fmt.Errorf("deep: %w", errors.Join(signing, other)), encryption), []*issuer.WaitingError{signing, encryption}},
	} {
		got := issuer.Waits(test.err)
		if len(got) != len(test.want) {
			t.Errorf("%s: %d are waited for, want %d", name, len(got), len(test.want))
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: number %d is %v", name, i+1, got[i])
			}
		}
	}
}
