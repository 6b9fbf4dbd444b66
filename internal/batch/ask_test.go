package batch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// count yields numbers up to n.
func count(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// TestAskInOrder: everybody is asked about once, some at once, and answered in order.
func TestAskInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inFlight, most, next atomic.Int64
		for answer, err := range batch.Ask(t.Context(), batch.NewLimiter(8, 0), count(500), func(_ context.Context, n int) (string, error) {
			most.Store(max(most.Load(), inFlight.Add(1)))
			defer inFlight.Add(-1)
			time.Sleep(time.Duration(n%7) * time.Millisecond)
			if n == 77 {
				return "", gmail.ErrNoUser
			}
			return fmt.Sprint(n), nil
		}) {
			n := int(next.Add(1)) - 1
			if err != nil || answer.User != n || n != 77 && answer.Value != fmt.Sprint(n) || n == 77 != (answer.Err != nil) {
				t.Fatalf("%d: %+v %v", n, answer, err)
			}
		}
		if next.Load() != 500 || most.Load() != 8 {
			t.Errorf("%d answers, %d at once", next.Load(), most.Load())
		}
	})
}

// TestAskNobodyAnswers: where nobody gets through, the others are not asked, and each is
// told of why.
func TestAskNobodyAnswers(t *testing.T) {
	for name, failure := range map[string]*gmail.Error{
		"no way there":       {Kind: gmail.KindUnavailable, Err: &net.OpError{Op: "dial", Err: errors.New("refused")}},
		"no use for anybody": {Kind: gmail.KindCredentials, Status: 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, notAsked := 0, 0
				for answer, err := range batch.Ask(t.Context(), batch.NewLimiter(4, 0), count(10_000), func(context.Context, int) (int, error) {
					time.Sleep(time.Second)
					return 0, failure
				}) {
					if err != nil || !errors.Is(answer.Err, failure) {
						t.Fatalf("%+v %v", answer, err)
					}
					if asked++; errors.Is(answer.Err, batch.ErrNotAsked) {
						notAsked++
					}
				}
				if asked != 10_000 || asked-notAsked > 100 {
					t.Errorf("%d answers, %d not asked", asked, notAsked)
				}
			})
		})
	}
}

// TestAskIsStopped: by its caller, by the context, and by the users.
func TestAskIsStopped(t *testing.T) {
	ask := func(ctx context.Context, n int) (int, error) { return n, ctx.Err() }
	for answer := range batch.Ask(t.Context(), batch.NewLimiter(4, 0), count(1000), ask) {
		if answer.User == 10 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for answer, err := range batch.Ask(ctx, batch.NewLimiter(4, 0), count(1000), ask) {
		if last = err; answer.User == 10 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Error(last)
	}
	broken := errors.New("broken")
	for _, err := range batch.Ask(t.Context(), batch.NewLimiter(4, 0), func(yield func(int, error) bool) {
		_ = yield(1, nil) && yield(0, broken)
	}, ask) {
		last = err
	}
	if !errors.Is(last, broken) {
		t.Error(last)
	}
}
