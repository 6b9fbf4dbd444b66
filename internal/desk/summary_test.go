package desk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// The summary of a day tells apart who is done, waits, failed, was parked and was left
// out; who was done before or is still to do is only counted.
func TestSummary(t *testing.T) {
	entry := func(email string, serial uint32, stage enroll.Stage) desk.QueueEntry {
		return desk.QueueEntry{Person: desk.Person{Email: email}, Progress: enroll.Progress{Stage: stage, Serial: serial}}
	}
	waiting := entry(grace, graces, enroll.StageWaiting)
	waiting.FactoryManagementKey = true
	waiting.Waits = []*issuer.WaitingError{{Dir: "/requests", Request: "grace.csr", Expected: "grace.pem"}}
	begun := entry("begun@example.com", 9, enroll.StageBegun)
	begun.Failed = "generate the key: the card was removed"
	renewing := entry("renewing@example.com", 13, enroll.StageWaiting) // and enrolled here before
	renewing.Renewal = &evidence.Renewal{Keys: map[string]evidence.OldKey{"9d": {MovedTo: "82"}}}
	replacing := entry("replacing@example.com", 14, enroll.StageBegun)
	replacing.MovesFrom = []string{"card 9"}
	lost := entry("lost@example.com", 15, enroll.StageDone)
	lost.Ended = &ledger.CardCertificate{State: ledger.CardLost}
	broken := entry("broken@example.com", 0, enroll.StageNone)
	broken.Problem = errors.New("the journal cannot be read")
	p := play(enroll.Request{}, false, entry(ada, adas, enroll.StageDone), waiting, begun, renewing, replacing, lost, broken, entry("ready@example.com", 10, enroll.StageReady),
		entry("failed@example.com", 11, enroll.StageBegun), entry("Later@example.com", 0, enroll.StageNone), entry("todo@example.com", 0, enroll.StageNone), entry("before@example.com", 12, enroll.StageDone))
	p.Failures.Note("failed@example.com", errRefused)
	p.Parked["later@example.com"] = true
	for _, folder := range []string{"/evidence/first", "/evidence/second"} { // the second time a key was replaced
		p.Receipts = append(p.Receipts, &enroll.Receipt{Email: ada, Card: enroll.ReceiptCard{Serial: adas}, Evidence: folder})
	}
	for _, email := range []string{renewing.Email, lost.Email} {
		p.Receipts = append(p.Receipts, &enroll.Receipt{Email: email})
	}
	p.Receipts = append(p.Receipts, &enroll.Receipt{Email: "before@example.com", Card: enroll.ReceiptCard{Serial: 12}, Evidence: "/evidence/third", Renewal: &enroll.ReceiptRenewal{}})
	p.Tasks = []desk.Task{{Command: status.CommandLost, Reason: termination.ReasonLost, Email: lost.Email}}
	leftOut := []*desk.RosterError{{Line: 4, Err: errors.New(`"emmy" is not a mail address`)}}
	for range 30 {
		leftOut = append(leftOut, &desk.RosterError{Line: 5, Err: errors.New("a quote is not closed")})
	}
	var got []string
	for _, value := range p.Summary(leftOut) {
		got = append(got, strings.Join(append([]string{value.Label + ": " + value.Text}, value.Details...), " / "))
	}
	want := []string{
		"ada@example.com: is enrolled with card 7; evidence in /evidence/second",
		"before@example.com: is renewed on card 12; evidence in /evidence/third",
		"lost@example.com: done: the card is lost, stolen or broken",
		"grace@example.com: waiting for the certificate / waiting for the certificate grace.pem in /requests for the request grace.csr / " +
			"card 8 still has the factory management key: whoever has it can change the keys on it; keep it locked away until the enrollment is finished",
		"begun@example.com: begun, not finished: generate the key: the card was removed",
		"renewing@example.com: renewal begun, waiting for the certificate / Gmail uses the old certificate until the renewal is finished; the old key is in slot 82",
		"replacing@example.com: replacement begun, not finished / Gmail uses card 9 until the replacement is finished",
		"broken@example.com: failed: the journal cannot be read",
		"ready@example.com: the certificate is there: go on",
		"failed@example.com: failed: refused by Gmail",
		"Later@example.com: parked",
		`roster: left out: line 4: "emmy" is not a mail address`,
	}
	for range 19 {
		want = append(want, "roster: left out: line 5: a quote is not closed")
	}
	want = append(want, "roster: left out: 11 more")
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("-want +got:\n%s", difference)
	}
}
