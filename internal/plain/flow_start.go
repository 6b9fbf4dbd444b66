package plain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// start says whether everything is there that enrollments need, and how far the
// people of the roster are.
func (f *flow) start(ctx context.Context) (desk.Event, error) {
	missing := 0
	for _, check := range f.talk.Checks {
		f.say("%s: %s: %s", check.State, check.Name, check.Detail)
		if check.State != desk.CheckOK && check.Fix != "" {
			f.say("  to do: %s", check.Fix)
		}
		if check.State == desk.CheckMissing {
			missing++
		}
	}
	if missing > 0 {
		next, err := f.choose(ctx, "what is missing stops enrollments; it can be put right in another window",
			option{desk.Again, "check again"}, option{desk.GoOn, "go on without it"}, option{desk.Stop, "stop"})
		if err != nil || next != desk.GoOn {
			return next, err
		}
	}
	if f.talk.Single || !f.talk.Roster {
		return desk.GoOn, nil
	}
	if err := f.collect(ctx); err != nil {
		return nil, err
	}
	f.list()
	return desk.GoOn, nil
}

// collect asks for the certificates that are waited for, and says which have come.
func (f *flow) collect(ctx context.Context) error {
	before := slices.Clone(f.talk.Entries)
	err := f.tell(ctx, desk.CertificatesDue{})
	for _, entry := range before {
		if now, _ := f.talk.Entry(entry.Email); entry.Stage == enroll.StageWaiting && now.Stage == enroll.StageReady {
			f.say("the certificate for %s is there", entry.Email)
		}
	}
	return err
}

// list says how far everybody is.
func (f *flow) list() {
	f.say("%s", f.tally())
	for i, entry := range f.talk.Entries {
		f.say("  %d  %s: %s", i+1, entry.Email, strings.Join(append([]string{f.progress(entry)}, f.talk.About(entry)...), ", "))
	}
}

// progress says how far somebody is.
func (f *flow) progress(entry desk.QueueEntry) string {
	failure := f.talk.Failures.Of(entry.Email)
	if failure == nil {
		failure = entry.Problem
	}
	return describe.Progress(entry.Progress, entry.By, failure).Text
}

// tally says how many are done, parked and failed.
func (f *flow) tally() string {
	done, parked, failed := 0, 0, 0
	for _, entry := range f.talk.Entries {
		switch {
		case entry.Stage == enroll.StageDone:
			done++
		case f.talk.Failures.Has(entry.Email) || entry.Problem != nil:
			failed++
		case entry.Stage == enroll.StageWaiting || entry.Stage == enroll.StageReady:
			parked++
		}
	}
	return fmt.Sprintf("%d done, %d parked, %d failed, %d to do", done, parked, failed, len(f.talk.Entries)-done-parked-failed)
}
