package check

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// TestOneThatHangsHidesNoOther: a check that never ends fails in its time, what needs it
// is skipped, and the others are as they are.
func TestOneThatHangsHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		l := &list{limit: limit, hint: func(error) string { return "look" }}
		hung := l.add("hung", func(context.Context) desk.Check { <-never; return ok("at last") })
		l.add("needs it", func(context.Context) desk.Check { return ok("never asked") }, hung)
		l.add("patient", func(ctx context.Context) desk.Check { <-ctx.Done(); return failed(ctx.Err()) })
		l.add("broken", func(context.Context) desk.Check { panic("planted") })
		l.add("good", func(context.Context) desk.Check { return ok("fine") })
		l.add("bad", func(context.Context) desk.Check { return failed(gmail.ErrScope) })
		checks, err := Finish(t.Context(), l.checks())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []desk.CheckState{desk.CheckFailed, desk.CheckSkipped, desk.CheckFailed, desk.CheckFailed, desk.CheckOK, desk.CheckFailed} {
			if checks[i].State != want {
				t.Errorf("%s is %s, not %s: %s", checks[i].Name, checks[i].State, want, checks[i].Detail)
			}
		}
		for i, want := range map[int]string{0: "no answer within 30 s", 1: "needs hung", 2: "no answer within 30 s", 4: "fine"} {
			if checks[i].Detail != want {
				t.Errorf("%s says %q, not %q", checks[i].Name, checks[i].Detail, want)
			}
		}
		if bad := checks[5]; bad.Fix != "look" || !errors.Is(bad.Err, gmail.ErrScope) {
			t.Errorf("what failed has no fix or no cause: %+v", bad)
		}
		close(never)
	})
}

// TestAnInterruptIsNoResult: a check that was interrupted is made again when it is asked for
// again.
func TestAnInterruptIsNoResult(t *testing.T) {
	l := &list{limit: limit, hint: func(error) string { return "" }}
	interrupted, cancel := context.WithCancel(t.Context())
	times := 0
	l.add("slow", func(ctx context.Context) desk.Check {
		if times++; times == 1 {
			cancel()
			<-ctx.Done()
			return failed(ctx.Err())
		}
		return ok("done")
	})
	if _, err := Finish(interrupted, l.checks()); !errors.Is(err, context.Canceled) {
		t.Errorf("the interrupt is told as %v", err)
	}
	checks, err := Finish(t.Context(), l.checks())
	if err != nil || checks[0].State != desk.CheckOK {
		t.Errorf("after an interrupt: %+v, %v", checks[0], err)
	}
}
