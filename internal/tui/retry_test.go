package tui

import (
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// While Gmail does not answer, every screen that waits for it says why, and when it is
// asked again.
func TestWhatIsTriedAgainIsShown(t *testing.T) {
	const said = "Gmail: the service is unavailable (503); the next try is at 09:26:57"
	retried := desk.Retried{Err: errors.New("the service is unavailable (503)"), At: time.Date(2026, 3, 14, 9, 26, 57, 0, time.UTC)}

	fake := newFakeDesk()
	fake.checks[1] = desk.Check{Name: "domain"}
	w := newWizard(t, fake, "").send(retried).shows("✓ escrow", "… domain         looking", said)
	w.golden("start-retry")

	w = newWizard(t, newFakeDesk(), "").press("enter")
	w.hold = true
	w.typed(ada).press("enter").send(retried).shows("asking Gmail", said)
	w.release().hides(said)

	w = newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("create-key-pair").send(retried).shows(said)
	w.golden("work-retry")
	w.event("create-key-pair", enroll.StateDone, "").hides(said)
}
