package batch

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

var errScope = &gmail.Error{Kind: gmail.KindScope, Status: 401}

// TestWhatConcernsEverybodyStops: ten tries fail for a reason that concerns
// everybody, and nobody gets through in between.
func TestWhatConcernsEverybodyStops(t *testing.T) {
	for name, test := range map[string]struct {
		between error
		stops   bool
	}{
		"nobody gets through":        {errScope, true},
		"outages in between":         {&gmail.Error{Kind: gmail.KindUnavailable}, true},
		"cut off in between":         {&gmail.Error{Kind: gmail.KindCanceled}, true},
		"somebody gets through":      {nil, false},
		"somebody is refused alone":  {&gmail.Error{Kind: gmail.KindCSEOff, Status: 403}, false},
		"it fails in different ways": {&gmail.Error{Kind: gmail.KindAPIDisabled, Status: 403}, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLimiter(1, 0)
			var err error
			for range 2 * breakAfter {
				for _, end := range []error{errScope, test.between} {
					if err == nil {
						err = acquire(t, l).release(end).stop
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
		l := NewLimiter(1, 0)
		for range 100 {
			if v := acquire(t, l).release(nil); v != (verdict{}) {
				t.Fatal(v)
			}
		}
		tries := 1
		for ; acquire(t, l).release(errScope).stop == nil; tries++ {
		}
		if tries != breakAfter {
			t.Errorf("stopped after %d", tries)
		}
	})
}

// TestWhenWorkPauses: where nobody can be reached for a while, or several users are
// not answered; not for one of them, nor while somebody gets through.
func TestWhenWorkPauses(t *testing.T) {
	refused := &gmail.Error{Kind: gmail.KindUnavailable, Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	busy := func(user int) error {
		return &gmail.Error{Kind: gmail.KindUnavailable, Status: 503, User: fmt.Sprint(user)}
	}
	for name, test := range map[string]struct {
		fails   func(n int) error
		between error
		pauses  bool
	}{
		"no connection":               {func(int) error { return refused }, refused, true},
		"nobody is answered":          {func(n int) error { return busy(n) }, refused, true},
		"a few are not answered":      {func(n int) error { return busy(n % 5) }, busy(1), false},
		"somebody gets through":       {func(n int) error { return busy(n) }, nil, false},
		"somebody is refused":         {func(n int) error { return busy(n) }, &gmail.Error{Kind: gmail.KindNoUser, Status: 400}, false},
		"a day's calls are used up":   {func(n int) error { return tomorrow(n) }, tomorrow(0), false},
		"too many calls for everyone": {func(n int) error { return &gmail.Error{Kind: gmail.KindRateLimited, User: fmt.Sprint(n)} }, errLimited, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, began := NewLimiter(8, 0), time.Now()
				for n := range 120 {
					v := acquire(t, l).release(test.fails(n))
					if v.spared != l.outage.paused {
						t.Error(v)
					}
					if l.outage.paused {
						break
					}
					time.Sleep(time.Second)
					if n%5 == 0 {
						acquire(t, l).release(test.between)
					}
				}
				if o, _ := l.inOutage(); o.Paused != test.pauses || o.Paused && time.Since(began) > 2*pauseAfter {
					t.Errorf("%+v after %v", o, time.Since(began))
				}
			})
		})
	}
}

func tomorrow(n int) error {
	return &gmail.Error{Kind: gmail.KindRateLimited, User: fmt.Sprint(n), RetryAt: time.Now().Add(20 * time.Hour)}
}

// TestOneIsTriedWhilePaused: calls that wait are given up, one user at a time is
// let through, less and less often, and everybody once that one got through.
func TestOneIsTriedWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(8, 0)
		refused := &gmail.Error{Kind: gmail.KindUnavailable, Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
		flight := []*slot{acquire(t, l), acquire(t, l)}
		waited := make(chan bool)
		go func() { waited <- l.Wait(t.Context(), refused, time.Hour) }()
		time.Sleep(pauseAfter)
		if l.Wait(t.Context(), refused, time.Hour) || <-waited {
			t.Error("the calls are made again")
		}
		for _, slot := range flight {
			if !slot.release(refused).spared {
				t.Error("it counts for the user")
			}
		}
		tried, began := []time.Duration{}, time.Now()
		slots := make(chan *slot)
		for range 20 {
			go func() { slots <- acquire(t, l) }()
		}
		for range 7 {
			probe := <-slots
			tried = append(tried, time.Since(began))
			time.Sleep(time.Second)
			synctest.Wait()
			select {
			case <-slots:
				t.Error("a second one is let through")
			default:
			}
			probe.release(refused)
		}
		want := []time.Duration{5, 16, 37, 78, 139, 200, 261} // 5, 10, 20, 40 and 60 s, and one that the try takes
		for i := range want {
			if tried[i] != want[i]*time.Second {
				t.Fatalf("tried after %v, want %v", tried, want)
			}
		}
		(<-slots).release(nil)
		for range 12 {
			(<-slots).release(nil)
		}
		if o, out := l.inOutage(); out || o.Paused {
			t.Errorf("%+v", o)
		}
		if !l.Wait(t.Context(), refused, time.Second) {
			t.Error("calls are not made again")
		}
	})
}
