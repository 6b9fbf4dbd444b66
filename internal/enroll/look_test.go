package enroll_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// TestLooksChangeNothing enrolls new cards, cards with their own PIN, and cards whose
// answers were lost, and sees that no step's look gives the card a PIN, changes it,
// asks a person, or writes the journal or any other file.
func TestLooksChangeNothing(t *testing.T) {
	for _, firmware := range []string{"5.7.4", "5.2.7"} {
		for name, prepare := range map[string]func(d *desk){
			"new": func(d *desk) { d.request.NewCard = true },
			"own PIN": func(d *desk) {
				d.setReferences("271828", "31415926")
				d.request.PIN = secret.Secret{}
			},
			"again":       func(d *desk) { d.request.NewCard = true; d.mustRun() },
			"answer lost": func(d *desk) { d.request.NewCard = true; setFaults(d.t, "card:reset:8%") },
		} {
			t.Run(firmware+"/"+name, func(t *testing.T) {
				d := sweptCard{firmware: firmware, algorithm: "eccp256"}.desk(t)
				setFaults(t, "off")
				prepare(d)
				var acts recorder
				deps := acts.record(d.deps)
				deps.Prompter = notedPrompter{&acts}
				looks := map[string]int{}
				var files map[string]string
				before := func(string) { acts.acts, files = nil, d.everything().files }
				after := func(step string) {
					looks[step]++
					if len(acts.acts) > 0 {
						t.Errorf("the look of %s: %v", step, acts.acts)
					}
					if !maps.Equal(files, d.everything().files) {
						t.Errorf("the look of %s changed files", step)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				if _, err := enroll.RunWatched(ctx, deps, d.request, before, after); err != nil {
					t.Fatal(err)
				}
				for _, step := range enroll.NewPlan(d.request) {
					if step.Kind == enroll.KindChange && looks[step.ID] == 0 {
						t.Errorf("%s did not look", step.ID)
					}
				}
			})
		}
	}
}

// notedPrompter answers with the PIN 271828, and agrees; that it was asked is noted.
type notedPrompter struct{ recorder *recorder }

func (p notedPrompter) Choose(_ context.Context, q enroll.Question, _ []enroll.Choice) (string, error) {
	p.recorder.note("ask " + string(q.ID))
	return "own", nil
}

func (p notedPrompter) Secret(_ context.Context, q enroll.SecretQuestion) (secret.Secret, error) {
	p.recorder.note("ask " + string(q.ID))
	return secret.FromString("271828"), nil
}

func (p notedPrompter) Confirm(_ context.Context, q enroll.Question) (bool, error) {
	p.recorder.note("ask " + string(q.ID))
	return true, nil
}

func (p notedPrompter) TypedConfirm(_ context.Context, q enroll.Question, _ string) error {
	p.recorder.note("ask " + string(q.ID))
	return nil
}
