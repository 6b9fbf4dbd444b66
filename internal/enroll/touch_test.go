package enroll_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestTouchIsAskedForAsLongAsTheCardWaits: the card that is to sign and then to
// decrypt waits twice, and not in between.
func TestTouchIsAskedForAsLongAsTheCardWaits(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	practice.SetManualTouch(true)
	defer practice.SetManualTouch(false)
	d.request.Keys[0].TouchPolicy = piv.TouchAlways
	var seen []string
	d.deps.Notify = func(event enroll.Event) {
		switch event.State {
		case enroll.StateTouch:
			seen = append(seen, event.Step+" "+string(event.State))
			if practice.Touch() != 1 {
				t.Error("the card does not wait")
			}
		case enroll.StateTouched:
			seen = append(seen, event.Step+" "+string(event.State))
		}
	}
	d.mustRun()
	want := []string{"request touch", "request touched", "prove-possession touch", "prove-possession touched", "prove-possession touch", "prove-possession touched"}
	if !slices.Equal(seen, want) {
		t.Errorf("told was %q", seen)
	}
}

// TestPulledWhileItWaitsForATouch: the card is asked for, known to be back, and
// waits for a touch again.
func TestPulledWhileItWaitsForATouch(t *testing.T) {
	d := newDesk(t, "5.7.4")
	setFaults(t, "off")
	practice.SetManualTouch(true)
	defer practice.SetManualTouch(false)
	d.request.Keys[0].TouchPolicy = piv.TouchAlways
	d.deps.CardTimeout = time.Minute
	var seen []string
	d.deps.Notify = func(event enroll.Event) {
		if event.Step != "request" {
			if event.State == enroll.StateTouch {
				practice.Touch()
			}
			return
		}
		switch event.State {
		case enroll.StateTouch:
			if len(seen) < 2 {
				_ = practice.Pull(0)
			} else {
				practice.Touch()
			}
		case enroll.StateCardOut:
			d.insert()
		}
		seen = append(seen, string(event.State))
	}
	d.checkWhole(d.mustRun())
	want := []string{"started", "touch", "touched", "retry", "card-out", "card-back", "touch", "touched", "done"}
	if !slices.Equal(seen, want) {
		t.Errorf("told was %q", seen)
	}
}

// TestALooseContactNeedsNoPatience: on a machine that is too slow to see in time
// that the card is back, it is still there when it is looked for.
func TestALooseContactNeedsNoPatience(t *testing.T) {
	retries := 0
	for n := 15; n <= 35; n++ {
		d := newDesk(t, "5.7.4")
		d.deps.CardTimeout = time.Nanosecond
		d.deps.Notify = func(event enroll.Event) {
			if event.State == enroll.StateRetry {
				retries++
				if event.Title == "" || event.Message != piv.ErrReset.Error() && event.Message != piv.ErrRemoved.Error() {
					t.Errorf("%s: %q is not the cause alone", event.Title, event.Message)
				}
			}
		}
		setFaults(t, "off", fmt.Sprintf("card:reset@%d", n))
		d.checkWhole(d.mustRun())
	}
	if retries < 5 {
		t.Errorf("only %d steps were begun again", retries)
	}
}
