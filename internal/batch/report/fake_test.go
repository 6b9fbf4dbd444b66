package report_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// fake is a ledger whose users are made as they are read.
type fake struct {
	users int
	// failure returns how the i-th user failed, nil for one who did not.
	failure func(i int) *ledger.Group
	change  func(i int, entry *ledger.Entry)
}

var started = time.Date(2026, 11, 21, 7, 30, 0, 0, time.UTC)

func finishedRun() ledger.Run {
	return ledger.Run{ID: 7, Source: "/srv/export/people.csv", Operator: "admin@desk-1", Tool: "cse-piv 1.0.0",
		Started: started, Read: started.Add(9 * time.Second), Finished: started.Add(4*time.Minute + 20*time.Second)}
}

// practice is a run as it might be: most went well.
func practice(users int) fake {
	return fake{users: users, failure: func(i int) *ledger.Group {
		for _, kind := range failures {
			if i%kind.every == kind.every-1 {
				return &kind.group
			}
		}
		return nil
	}}
}

var failures = []struct {
	every int
	group ledger.Group
}{
	{97, ledger.Group{Class: ledger.ClassAdministrator, Reason: "cse-off",
		Message: "keypairs.create: 403 CSE is not enabled for this user",
		Hint:    "turn on client-side encryption for Gmail for the user's organisational unit or group"}},
	{211, ledger.Group{Class: ledger.ClassRow, Reason: "expired",
		Message: "the certificate ended on 2026-03-01", Hint: "put a certificate that is still valid into the source"}},
	{389, ledger.Group{Class: ledger.ClassFinal, Reason: "no-user",
		Message: "token: 400 invalid_grant: Invalid email or User ID", Hint: "check the spelling: it must be the primary address of a user of the domain"}},
	{1499, ledger.Group{Class: ledger.ClassLater, Reason: "unavailable", Message: "keypairs.list: 503 backendError: try again", Hint: "run the same command again"}},
}

func (f fake) entry(i int) ledger.Entry {
	entry := ledger.Entry{
		Email: fmt.Sprintf("user%05d@example.com", i+1), Where: fmt.Sprintf("people.csv line %d", i+2), Line: i + 2, Run: 7,
		Pairs: []ledger.Pair{{Use: "both", LeafSHA256: fmt.Sprintf("%064x", i+1), NotAfter: started.AddDate(1, 0, 0),
			KeyPairID: fmt.Sprintf("ANe1Bm%049d", i+1), Created: true}},
		State: ledger.StateDone, Step: "identity", Attempts: 1, Worker: "admin@desk-1/4711",
		Updated: f.at(i),
		Earlier: i%40 == 3,
	}
	if group := f.failure(i); group != nil {
		entry.State, entry.Class, entry.Reason, entry.Message, entry.Hint = ledger.StateFailed, group.Class, group.Reason, group.Message, group.Hint
		entry.Pairs[0].KeyPairID, entry.Step, entry.Earlier = "", "read", false
	}
	if i%50 == 12 && entry.State == ledger.StateDone {
		entry.Pairs[0].Superfluous = []string{fmt.Sprintf("ANe1Bm%049d", 1_000_000+i)}
	}
	if f.change != nil {
		f.change(i, &entry)
	}
	return entry
}

// at is when the i-th user came to an end: not quite evenly, as it is.
func (f fake) at(i int) time.Time {
	share := float64(i) / float64(f.users)
	seconds := 9 + 250*(share+0.05*math.Sin(5*math.Pi*share))
	return started.Add(time.Duration(math.Round(seconds*1000)) * time.Millisecond)
}

func (f fake) Entries(context.Context, int64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for i := range f.users {
			if !yield(f.entry(i), nil) {
				return
			}
		}
	}
}

func (f fake) Counts(context.Context, int64) (ledger.Counts, error) {
	counts := ledger.Counts{Total: f.users}
	for i := range f.users {
		switch entry := f.entry(i); entry.State {
		case ledger.StateFailed:
			counts.Failed++
		case ledger.StateWaiting:
			if entry.TakenOver {
				counts.TakenOver++
			} else {
				counts.Waiting++
			}
		default:
			counts.Done++
			if entry.Earlier {
				counts.Earlier++
			}
		}
	}
	return counts, nil
}

func (f fake) Groups(context.Context, int64) ([]ledger.Group, error) {
	var groups []ledger.Group
	index := map[string]int{}
	for i := range f.users {
		entry := f.entry(i)
		if entry.State != ledger.StateFailed {
			continue
		}
		at, ok := index[entry.Reason]
		if !ok {
			at = len(groups)
			index[entry.Reason] = at
			groups = append(groups, ledger.Group{Class: entry.Class, Reason: entry.Reason, Example: entry.Email, Message: entry.Message, Hint: entry.Hint})
		}
		groups[at].Count++
	}
	return groups, nil
}

func (f fake) Superfluous(context.Context, int64) (users int, example string, err error) {
	for i := range f.users {
		entry := f.entry(i)
		for _, pair := range entry.Pairs {
			if len(pair.Superfluous) == 0 {
				continue
			}
			if users++; example == "" {
				example = entry.Email
			}
			break
		}
	}
	return users, example, nil
}

func (f fake) Progress(_ context.Context, _ int64, buckets int) ([]ledger.Point, error) {
	counts, err := f.Counts(context.Background(), 7)
	point := ledger.Point{Time: started, Done: counts.Earlier}
	points := []ledger.Point{point}
	for i := range f.users {
		entry := f.entry(i)
		switch {
		case entry.State == ledger.StateFailed:
			point.Failed++
		case entry.State == ledger.StateDone && !entry.Earlier:
			point.Done++
		}
		point.Time = entry.Updated
		if (i+1)*buckets/f.users >= len(points) {
			points = append(points, point)
		}
	}
	return points, err
}
