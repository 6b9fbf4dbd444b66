package plain

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// While an enrollment waits for its card, the others that are put in are named, each as
// often as it is put in.
func TestAnotherCardIsNamedWhileTheRightOneIsWaitedFor(t *testing.T) {
	d := newFakeDesk().desk(t)
	asked, out, seen := 0, false, make(chan struct{})
	d.Dependencies.CardTimeout = time.Hour
	d.Dependencies.Account = func(context.Context, string) (registration.Account, error) {
		if asked++; asked == 2 { // the plan asks first
			out = true
			return nil, piv.ErrRemoved
		}
		return nil, errNetwork
	}
	d.Dependencies.WaitForCard = func(ctx context.Context, _ uint32) error {
		select {
		case <-seen:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	right, other := piv.Found{Reader: "Reader 0", Identity: identity(adasCard)}, piv.Found{Reader: "Reader 0", Identity: identity(gracesOne)}
	none := piv.Found{Reader: "Reader 0", Err: piv.ErrNoCard}
	d.Watch = func(ctx context.Context) iter.Seq2[[]piv.Found, error] {
		return func(yield func([]piv.Found, error) bool) {
			if !out {
				yield([]piv.Found{right}, nil)
				return
			}
			for _, found := range [][]piv.Found{{none}, {other}, {other, none}, nil, {other}, {other, right}} {
				if !yield(found, nil) {
					return
				}
			}
			close(seen)
			<-ctx.Done()
		}
	}
	var said strings.Builder
	err := Enrollments(t.Context(), prompt.NewPipe(strings.NewReader("1\n3\n"), &said), &said, d, ada)
	if !errors.Is(err, errNetwork) {
		t.Errorf("it came to %v", err)
	}
	named := "card 23456789 is in a reader: it is another one"
	saysInOrder(t, said.String(), "put card 12345678 back in", named, named, "the card is back", "failed: check the user at Gmail")
	if n := strings.Count(said.String(), "it is another one"); n != 2 {
		t.Errorf("it is named %d times:\n%s", n, said.String())
	}
}
