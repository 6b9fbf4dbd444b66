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
	if f.single || len(f.places) == 0 {
		return goOn, nil
	}
	f.look(ctx)
	f.list()
	return goOn, ctx.Err()
}

// look brings the queue up to date, asks for the certificates that are waited
// for, and says which have come.
func (f *flow) look(ctx context.Context) {
	for i, before := range f.places {
		f.places[i] = f.desk.Collect(ctx, before.Person)
		if before.Stage == enroll.StageWaiting && f.places[i].Stage == enroll.StageReady {
			f.say("the certificate for %s is there", before.Email)
		}
	}
}

// list says how far everybody is.
func (f *flow) list() {
	f.say("%s", f.tally())
	for i, place := range f.places {
		line := fmt.Sprintf("  %d  %s: %s", i+1, place.Email, f.standing(place))
		if serial := max(place.Person.Serial, place.Standing.Serial); serial != 0 {
			line += fmt.Sprintf(", card %d", serial)
		}
		if place.Note != "" {
			line += ", " + place.Note
		}
		f.say("%s", line)
	}
}

// standing says how far somebody is.
func (f *flow) standing(place desk.Place) string {
	if place.Stage == enroll.StageDone {
		text := "done " + place.When.Local().Format(time.DateOnly)
		if place.By != "" {
			text += " by " + place.By
		}
		return text
	}
	if err := f.failures.Of(place.Email); errors.Is(err, enroll.ErrDeclined) {
		return "declined, not finished"
	} else if err != nil {
		return "failed, " + err.Error()
	}
	if place.Problem != nil {
		return "failed, " + place.Problem.Error()
	}
	switch place.Stage {
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
	for _, place := range f.places {
		if place.Stage == stage {
			n++
		}
	}
	return n
}

// tally says how many are done, parked and failed.
func (f *flow) tally() string {
	done, parked, failed := 0, 0, 0
	for _, place := range f.places {
		switch {
		case place.Stage == enroll.StageDone:
			done++
		case f.failures.Has(place.Email) || place.Problem != nil:
			failed++
		case place.Stage == enroll.StageWaiting || place.Stage == enroll.StageReady:
			parked++
		}
	}
	return fmt.Sprintf("%d done, %d parked, %d failed, %d to do", done, parked, failed, len(f.places)-done-parked-failed)
}
