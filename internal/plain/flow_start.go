package plain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// profile has one of the enrollment profiles chosen.
func (f *flow) profile(ctx context.Context) (desk.Event, error) {
	if err := f.talk.Problem; err != nil {
		f.say("failed: the enrollment profile cannot be followed")
		f.explain(err)
	}
	name, err := f.Choose(ctx, enroll.Question{Text: "which enrollment profile?"}, f.talk.Profiles)
	return desk.ProfileChosen{Name: name}, err
}

// sayCheck says what came of a check that is finished.
func (f *flow) sayCheck(check desk.Check) {
	if check.State == desk.CheckRunning || check.State == desk.CheckSkipped {
		return // it says nothing that another one does not
	}
	f.say("%s: %s: %s", check.State, check.Name, check.Detail)
	if check.State != desk.CheckOK && check.Fix != "" {
		f.say("  to do: %s", check.Fix)
	}
}

// finishChecks finishes those checks side by side, and tells of each as soon as it is
// finished.
func (f *flow) finishChecks(ctx context.Context, checks []desk.Effect) (err error) {
	finished := make(chan desk.Event, len(checks))
	for _, check := range checks {
		go func() { finished <- f.desk.Do(ctx, check) }()
	}
	for range checks {
		event := (<-finished).(desk.CheckFinished)
		f.sayCheck(event.Check)
		err = errors.Join(err, f.tell(ctx, event))
	}
	return err
}

// start says how far the people of the roster are, once everything is there that
// enrollments need.
func (f *flow) start(ctx context.Context) (desk.Event, error) {
	missing := 0
	for _, check := range f.talk.Checks {
		if check.State == desk.CheckFailed {
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
			if f.desk.Bell {
				fmt.Fprint(f.Out, "\a")
			}
		}
	}
	return err
}

// list says how far everybody is.
func (f *flow) list() {
	f.say("%s", tally(f.talk.Tally()))
	for i, entry := range f.talk.Entries {
		f.say("  %d  %s: %s", i+1, entry.Email, strings.Join(append([]string{f.progress(entry)}, f.talk.About(entry)...), ", "))
	}
}

// progress says how far somebody is.
func (f *flow) progress(entry desk.QueueEntry) string {
	return f.talk.Standing(entry).Text
}
