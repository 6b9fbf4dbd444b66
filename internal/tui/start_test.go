package tui

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// queueOfAll has a person in every stage.
func queueOfAll() []desk.QueueEntry {
	entry := func(email string, serial uint32, note string, stage enroll.Stage) desk.QueueEntry {
		return desk.QueueEntry{Person: desk.Person{Email: email, Serial: serial, Note: note}, Progress: enroll.Progress{Stage: stage, Serial: serial, When: moment.Add(-24 * time.Hour)}}
	}
	broken := entry("vint@example.com", 45678901, "", enroll.StageBegun)
	broken.Problem = errors.New("reading the journal: unexpected end of JSON input")
	return []desk.QueueEntry{
		entry(ada, adasCard, "Ada Lovelace, room 2.14", enroll.StageDone),
		entry(grace, gracesCard, "Grace Hopper", enroll.StageWaiting),
		entry(hedy, 0, "Hedy Lamarr, comes at 11", enroll.StageNone),
		entry("katherine@example.com", 56789012, "", enroll.StageReady),
		entry("margaret@example.com", 67890123, "", enroll.StageBegun),
		broken,
		entry("radia@example.com", 0, "Radia Perlman", enroll.StageNone),
		entry("a.very.long.address.of.somebody@department.example.com", 0, "a note that is longer than the window has room for it, so that it ends in an ellipsis", enroll.StageNone),
	}
}

func peopleOf(entries []desk.QueueEntry) []desk.Person {
	var people []desk.Person
	for _, entry := range entries {
		people = append(people, entry.Person)
	}
	return people
}

// withQueue is a wizard whose queue has somebody in every stage.
func withQueue(t *testing.T) *wizard {
	t.Helper()
	fake := newFakeDesk()
	fake.people = peopleOf(queueOfAll())
	w := newWizard(t, fake, "")
	w.queued(queueOfAll())
	w.model.session.Failures["radia@example.com"] = errors.New("prove that the key in slot 9d was born on the card: the attestation is refused")
	return w
}

func TestStartViews(t *testing.T) {
	fake := newFakeDesk()
	w := newWizard(t, fake, "")
	w.golden("start-ready")

	w.hold = true
	w.press("a").golden("start-looking")
	w.release().shows("✓ credentials").hides("looking whether")

	fake.checks[0] = desk.Check{Name: "credentials", State: desk.CheckFailed, Detail: "no service account was named", Fix: "start again with --credentials FILE, the JSON key of a service account with domain-wide delegation for https://www.googleapis.com/auth/gmail.settings.basic"}
	fake.checks[4] = desk.Check{Name: "escrow", State: desk.CheckWarning, Detail: "no place was named for new PUKs and management keys: new cards cannot be enrolled", Fix: "start again with --escrow-to RECIPIENT (sealed with age) or --escrow-plain (a file only you can read)"}
	w.press("a").golden("start-missing")

	withQueue(t).golden("start-queue")
}

func TestLongQueueCanBeScrolled(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "")
	var entries []desk.QueueEntry
	for n := range 40 {
		entries = append(entries, desk.QueueEntry{Person: desk.Person{Email: fmt.Sprintf("user-%d@example.com", n+1)}})
	}
	w.queued(entries).shows("↓ more: pgdn", "credentials").hides("user-40@")
	w.press("pgdown", "pgdown").shows("user-40@").hides("credentials", "pgdn")
	w.press("pgdown", "pgup").shows("user-20@").hides("user-40@") // no key press is lost at the end
	w.press("pgup").shows("credentials")
}

func TestStartEnds(t *testing.T) {
	if w := newWizard(t, newFakeDesk(), "").press("q"); !w.quit {
		t.Error("q did not end the wizard")
	}
	if w := newWizard(t, newFakeDesk(), "").press("ctrl+c"); !w.quit {
		t.Error("ctrl+c did not end the wizard at once")
	}
	if w := newWizard(t, newFakeDesk(), "").press("esc"); w.quit {
		t.Error("esc ended the wizard")
	}
}
