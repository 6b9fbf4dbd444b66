package batch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

var errLimited = &gmail.Error{Kind: gmail.KindRateLimited}

func acquire(t *testing.T, l *Limiter) *slot {
	t.Helper()
	slots, err := l.acquire(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return slots[0]
}

func TestLimiterBacksOffAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(64, 0)
		// All that are in flight meet the same limit: one cut.
		var slots []*slot
		for range 64 {
			slots = append(slots, acquire(t, l))
		}
		for range 64 {
			l.Wait(t.Context(), errLimited, 0)
		}
		if l.limitNow() != 32 {
			t.Errorf("limit %d", l.limitNow())
		}
		for range 10 {
			time.Sleep(cutPause)
			l.Wait(t.Context(), errLimited, 0)
		}
		if l.limitNow() != 1 {
			t.Errorf("limit %d", l.limitNow())
		}
		for _, slot := range slots {
			slot.release(&gmail.Error{Kind: gmail.KindUnavailable}) // says nothing
		}
		if l.limitNow() != 1 {
			t.Errorf("limit %d", l.limitNow())
		}
		rounds := 0
		for ; l.limitNow() < 64; rounds++ {
			// Gmail answered, even if it was a refusal.
			acquire(t, l).release([]error{nil, &gmail.Error{Kind: gmail.KindNoUser}}[rounds%2])
		}
		if want := 63 * 64 / 2; rounds != want {
			t.Errorf("recovered after %d answers, want %d", rounds, want)
		}
	})
}

// TestLoneRateLimits: one call in forty that meets a limit slows nobody down, one
// in four does.
func TestLoneRateLimits(t *testing.T) {
	for every, want := range map[int]int{40: 64, 4: 1} {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter(64, 0)
			for call := range 4000 {
				if err := l.Pace(t.Context()); err != nil {
					t.Fatal(err)
				}
				if call%every == 0 {
					l.Wait(t.Context(), errLimited, 0)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if l.limitNow() != want {
				t.Errorf("one in %d: limit %d, want %d", every, l.limitNow(), want)
			}
		})
	}
}

// TestUsedUpDaySlowsNobodyDown: who meets it has failed, and the others are told
// the same all the sooner.
func TestUsedUpDaySlowsNobodyDown(t *testing.T) {
	l := NewLimiter(64, 0)
	tomorrow := &gmail.Error{Kind: gmail.KindRateLimited, RetryAt: time.Now().Add(20 * time.Hour)}
	for range 64 {
		acquire(t, l).release(tomorrow)
	}
	if l.limitNow() != 64 {
		t.Errorf("limit %d", l.limitNow())
	}
}

func TestLimiterHoldsItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(2, 0)
		var mu sync.Mutex
		inFlight, most := 0, 0
		for range 10 {
			go func() {
				slot := acquire(t, l)
				mu.Lock()
				inFlight++
				most = max(most, inFlight)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				inFlight--
				mu.Unlock()
				slot.release(nil)
			}()
		}
		started := time.Now()
		time.Sleep(time.Millisecond)
		synctest.Wait()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if most != 2 || inFlight != 0 || time.Since(started) < 5*time.Second {
			t.Errorf("%d at once, %d left", most, inFlight)
		}
		// Whoever gives up waiting leaves its place to others.
		one, _ := acquire(t, l), acquire(t, l)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.acquire(impatient, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		one.release(nil)
		acquire(t, l)
	})
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1000, 8)
		started := time.Now()
		for range 82 {
			if err := l.Pace(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(started).Round(time.Millisecond); took != 10*time.Second {
			t.Errorf("82 calls at 8 a second took %v", took)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := l.Pace(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestRetryWait(t *testing.T) {
	for attempts, most := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 60: maxRetryWait} {
		if wait := retryWait(errors.New("x"), time.Second, attempts); wait < most || wait > most*5/4 {
			t.Errorf("attempt %d: %v", attempts, wait)
		}
	}
	// Everybody's trouble shows soon, or it is this user's.
	if wait := retryWait(&gmail.Error{Kind: gmail.KindScope}, time.Minute, 9); wait > 2*time.Second {
		t.Errorf("what concerns everybody is tried again after %v", wait)
	}
	at := time.Now().Add(maxRetryWait / 2)
	near := &gmail.Error{Kind: gmail.KindRateLimited, RetryAt: at}
	if wait := retryWait(near, time.Second, 1); time.Now().Add(wait).Before(at.Add(-time.Second)) || isFar(near) {
		t.Errorf("comes back after %v, five minutes were asked for", wait)
	}
	if !isFar(&gmail.Error{Kind: gmail.KindRateLimited, RetryAt: time.Now().Add(2 * maxRetryWait)}) {
		t.Error("a run would wait for it")
	}
}

// limitNow is how many users may be in flight now.
func (l *Limiter) limitNow() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit
}
