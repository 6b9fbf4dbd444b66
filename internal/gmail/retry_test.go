package gmail

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// waits are the times between calls of a method.
func (f *fake) waits(method string) []time.Duration {
	var last time.Time
	var all []time.Duration
	for i, c := range f.calls {
		if c != method {
			continue
		}
		if !last.IsZero() {
			all = append(all, f.times[i].Sub(last))
		}
		last = f.times[i]
	}
	return all
}

func TestBackOffGrowsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.fault = always("keypairs.list", refusal(503, "backendError", "Backend Error"))
		var told []time.Duration
		u := openFake(t, f, func(c *Config) {
			c.OnRetry = func(method string, err error, in time.Duration) {
				if method != "keypairs.list" || !errors.Is(err, ErrUnavailable) {
					t.Errorf("told of %s, %v", method, err)
				}
				told = append(told, in)
			}
		})
		_, err := u.KeyPairs(t.Context())
		var e *Error
		if !errors.As(err, &e) || e.Status != 503 || !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		waits := f.waits("keypairs.list")
		if len(waits) != 7 || len(told) != 7 {
			t.Fatalf("waited %v, told %v", waits, told)
		}
		for n, w := range waits {
			low := min(time.Second<<n, 32*time.Second)
			if w < low || w > min(low+time.Second, 32*time.Second) || w != told[n] {
				t.Errorf("wait %d: %v (told %v), want %v and up to a second more", n, w, told[n], low)
			}
		}
	})
}

// TestGivenUpByTheCaller: a call is not made again when the caller's Wait says so;
// of one that may have been carried out it is looked for once.
func TestGivenUpByTheCaller(t *testing.T) {
	f, c := newFake(), newChain(t)
	f.fault = always("keypairs.create", &fault{err: io.EOF})
	waits := 0
	u := openFake(t, f, func(config *Config) {
		config.Wait = func(_ context.Context, err error, in time.Duration) bool {
			if waits++; !errors.Is(err, ErrUnavailable) || in < time.Second {
				t.Errorf("%v, again in %v", err, in)
			}
			return false
		}
	})
	f.calls = nil
	_, _, err := u.CreateKeyPair(t.Context(), nil, c.request())
	if !errors.Is(err, ErrUnavailable) || waits != 1 || f.count("keypairs.create") != 1 || f.count("keypairs.list") != 1 || len(f.calls) != 2 {
		t.Errorf("%v after %d waits and %q", err, waits, f.calls)
	}
}

func TestServersWishIsHonoured(t *testing.T) {
	tests := []struct {
		name string
		make func(now time.Time) *fault
		low  time.Duration
	}{
		{"seconds", func(time.Time) *fault {
			x := refusal(429, "rateLimitExceeded", "Too many requests")
			x.header = http.Header{"Retry-After": {"40"}}
			return x
		}, 40 * time.Second},
		{"date", func(now time.Time) *fault {
			x := refusal(503, "backendError", "Backend Error")
			x.header = http.Header{"Retry-After": {now.Add(50 * time.Second).UTC().Format(http.TimeFormat)}}
			return x
		}, 50 * time.Second},
		{"in the message", func(now time.Time) *fault {
			return refusal(403, "userRateLimitExceeded", "User-rate limit exceeded.  Retry after "+now.Add(70*time.Second).UTC().Format("2006-01-02T15:04:05.000Z"))
		}, 70 * time.Second},
		{"in the message, by another clock", func(now time.Time) *fault {
			x := refusal(403, "userRateLimitExceeded", "User-rate limit exceeded.  Retry after "+now.Add(time.Hour+20*time.Second).UTC().Format("2006-01-02T15:04:05.000Z"))
			x.header = http.Header{"Date": {now.Add(time.Hour).UTC().Format(http.TimeFormat)}}
			return x
		}, 20 * time.Second},
		{"shorter than the back-off", func(time.Time) *fault {
			x := refusal(429, "rateLimitExceeded", "Too many requests")
			x.header = http.Header{"Retry-After": {"0"}}
			return x
		}, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.fault = onCall("keypairs.list", 1, test.make(time.Now()))
				u := openFake(t, f, nil)
				if _, err := u.KeyPairs(t.Context()); err != nil {
					t.Fatal(err)
				}
				if w := f.waits("keypairs.list"); len(w) != 1 || w[0] < test.low || w[0] > test.low+time.Second {
					t.Errorf("waited %v, want %v and up to a second more", w, test.low)
				}
			})
		})
	}
}

func TestTooLongAWishEndsAtOnce(t *testing.T) {
	for _, years := range []string{"999999999", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			x := refusal(429, "rateLimitExceeded", "Too many requests")
			x.header = http.Header{"Retry-After": {years}}
			f.fault = always("keypairs.list", x)
			u := openFake(t, f, nil)
			start := time.Now()
			_, err := u.KeyPairs(t.Context())
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrRateLimited) {
				t.Fatal(err)
			}
			if want := start.Add(24 * time.Hour); !e.RetryAt.Equal(want) || !time.Now().Equal(start) {
				t.Errorf("%s: retry at %v, want %v; waited %v", years, e.RetryAt, want, time.Since(start))
			}
		})
	}
}

func TestWaitingStopsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.fault = always("keypairs.list", &fault{err: io.EOF})
		u := openFake(t, f, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := u.KeyPairs(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestMaxElapsedBoundsAnOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.fault = always("keypairs.list", &fault{err: io.EOF})
		u := openFake(t, f, func(c *Config) { c.MaxElapsed, c.MaxTries = 20*time.Second, 1000 })
		start := time.Now()
		if _, err := u.KeyPairs(t.Context()); !errors.Is(err, ErrUnavailable) || time.Since(start) > 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestSlowCallIsCutOff has a server that never answers once.
func TestSlowCallIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		calls := 0
		u := openFake(t, f, nil)
		u.domain.base = roundTripper(func(r *http.Request) (*http.Response, error) {
			if methodOf(r) == "keypairs.list" {
				if calls++; calls == 1 {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
			}
			return f.RoundTrip(r)
		})
		u, err := u.domain.User(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := u.KeyPairs(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); calls != 2 || took < 61*time.Second || took > 62*time.Second {
			t.Errorf("%d calls in %v", calls, took)
		}
	})
}

func TestFinalErrorsAreNotRetried(t *testing.T) {
	tests := []struct {
		x    *fault
		want error
	}{
		{refusal(403, "forbidden", "CSE is not enabled."), ErrCSEOff},
		{refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes."), ErrScope},
		{refusal(403, "domainPolicy", "The domain administrators have disabled Gmail apps."), ErrDenied},
		{refusal(403, "accessNotConfigured", "Gmail API has not been used in project 1 before or it is disabled."), ErrAPIDisabled},
		{refusal(403, "dailyLimitExceeded", "Daily Limit Exceeded"), ErrRateLimited},
		{refusal(400, "invalidArgument", "Bad PKCS#7"), ErrInvalid},
		{refusal(400, "failedPrecondition", "Mail service not enabled"), ErrPrecondition},
		{refusal(404, "notFound", "Requested entity was not found."), ErrNotFound},
		{&fault{status: 200, body: "<html>Sign in to the airport</html>"}, ErrProtocol},
		{&fault{status: 200, body: `{"cseKeyPairs":"none"}`}, ErrProtocol},
		{&fault{status: 404, body: "<html>no such page"}, ErrProtocol},
		{&fault{status: 302, header: http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}}, body: "moved"}, ErrProtocol},
	}
	for _, test := range tests {
		f := newFake()
		f.fault = always("keypairs.list", test.x)
		u := openFake(t, f, nil)
		_, err := u.KeyPairs(t.Context())
		var e *Error
		if !errors.Is(err, test.want) || !errors.As(err, &e) {
			t.Errorf("%d %s: got %v, want %v", test.x.status, test.x.body, err, test.want)
			continue
		}
		if e.Kind == KindOther {
			t.Errorf("%v has no kind of its own", err)
		}
		if n := f.count("keypairs.list"); n != 1 || len(f.calls) != 2 {
			t.Errorf("%v: calls %q", err, f.calls)
		}
	}
}
