package plain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// start says whether everything is there that enrollments need, and how far the
// people of the roster are.
func (f *flow) start(ctx context.Context) (turn, error) {
	for next := again; next == again; {
		checks := f.desk.Checks(ctx)
		if err := ctx.Err(); err != nil {
			return stop, err
		}
		missing := 0
		for _, check := range checks {
			f.say("%s: %s: %s", check.State, check.Name, check.Detail)
			if check.State != desk.CheckOK && check.Fix != "" {
				f.say("  to do: %s", check.Fix)
			}
			if check.State == desk.CheckMissing {
				missing++
			}
		}
		if missing == 0 {
			break
		}
		answer, err := f.Choose(ctx, enroll.Question{Text: "what is missing stops enrollments; it can be put right in another window"}, []enroll.Choice{
			{ID: string(again), Text: "check again"}, {ID: string(goOn), Text: "go on without it"}, {ID: string(stop), Text: "stop"},
		})
		if err != nil || turn(answer) == stop {
			return stop, err
		}
		next = turn(answer)
	}
	if f.single || len(f.entries) == 0 {
		return goOn, nil
	}
	f.look(ctx)
	f.list()
	return goOn, ctx.Err()
}

// look brings the queue up to date, asks for the certificates that are waited
// for, and says which have come.
func (f *flow) look(ctx context.Context) {
	for i, before := range f.entries {
		f.entries[i] = f.desk.Collect(ctx, before.Person)
		if before.Stage == enroll.StageWaiting && f.entries[i].Stage == enroll.StageReady {
			f.say("the certificate for %s is there", before.Email)
		}
	}
}

// list says how far everybody is.
func (f *flow) list() {
	f.say("%s", f.tally())
	for i, entry := range f.entries {
		line := fmt.Sprintf("  %d  %s: %s", i+1, entry.Email, f.standing(entry))
		if serial := max(entry.Person.Serial, entry.Progress.Serial); serial != 0 {
			line += fmt.Sprintf(", card %d", serial)
		}
		if entry.Note != "" {
			line += ", " + entry.Note
		}
		f.say("%s", line)
	}
}

// standing says how far somebody is.
func (f *flow) standing(entry desk.QueueEntry) string {
	if entry.Stage == enroll.StageDone {
		text := "done " + entry.When.Local().Format(time.DateOnly)
		if entry.By != "" {
			text += " by " + entry.By
		}
		return text
	}
	if err := f.failures.Of(entry.Email); errors.Is(err, enroll.ErrDeclined) {
		return "declined, not finished"
	} else if err != nil {
		return "failed, " + err.Error()
	}
	if entry.Problem != nil {
		return "failed, " + entry.Problem.Error()
	}
	switch entry.Stage {
	case enroll.StageWaiting:
		return "parked, waiting for the certificate"
	case enroll.StageReady:
		return "parked, the certificate is there: go on"
	case enroll.StageBegun:
		return "begun, not finished"
	}
	return "to do"
}

// count counts the people at a stage.
func (f *flow) count(stage enroll.Stage) (n int) {
	for _, entry := range f.entries {
		if entry.Stage == stage {
			n++
		}
	}
	return n
}

// tally says how many are done, parked and failed.
func (f *flow) tally() string {
	done, parked, failed := 0, 0, 0
	for _, entry := range f.entries {
		switch {
		case entry.Stage == enroll.StageDone:
			done++
		case f.failures.Has(entry.Email) || entry.Problem != nil:
			failed++
		case entry.Stage == enroll.StageWaiting || entry.Stage == enroll.StageReady:
			parked++
		}
	}
	return fmt.Sprintf("%d done, %d parked, %d failed, %d to do", done, parked, failed, len(f.entries)-done-parked-failed)
}
