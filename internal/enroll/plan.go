package enroll

import (
	"context"
	"fmt"
)

// Kind is what a step is.
type Kind string

// The kinds of a step.
const (
	// KindCheck finds something out, and stops where it is not as it must be.
	KindCheck Kind = "check"
	// KindDecision settles what later steps do; it asks a person where nobody said
	// it beforehand.
	KindDecision Kind = "decision"
	// KindChange makes something so on the card, at Gmail or in files.
	KindChange Kind = "change"
)

// Step is one thing that an enrollment sees to.
type Step struct {
	ID    string // stable
	Title string // what it does, for people
	Slot  string // of the key that it concerns, or empty
	Kind  Kind
	// Changes says what the step may change: the card, Gmail, files, or nothing.
	Changes string

	// needs reports whether what earlier steps find or make is there: in a run it
	// is, in a preview it may be missing. Nil needs nothing.
	needs func(*enrollment) bool
	// check is what a check or a decision does, and what a change has to find out or
	// to ask before it looks. It changes nothing outside.
	check func(context.Context, *enrollment) error
	// look reports whether what a change makes is so already, from the card, Gmail or
	// the files. It changes nothing outside, gives the card no PIN and asks nobody,
	// and is called again after act.
	look func(context.Context, *enrollment) (bool, error)
	// act makes the change.
	act func(context.Context, *enrollment) error
	// preview returns the error that act would, as far as that can be told without
	// acting; nil tells nothing.
	preview func(context.Context, *enrollment) error
}

// Plan is the ordered list of the steps of one enrollment.
type Plan []Step

// NewPlan returns the plan for a request.
func NewPlan(request Request) Plan {
	plan := Plan{readCardStep(), checkUserStep(), slotsStep()}
	if len(request.Copies) > 0 {
		plan = append(plan, settleCopiesStep())
	}
	plan = append(plan, evidenceStep(), secretsStep())
	if request.PINTries > 0 || request.PUKTries > 0 {
		plan = append(plan, triesStep())
	}
	plan = append(plan, pinStep(), escrowStep(), pukStep())
	perKey := func(step func(int, KeyRequest) Step) {
		for i, key := range request.Keys {
			if request.Renew == RenewSameKey {
				key.Source = SourceExisting // it is read, wherever it came from
			}
			plan = append(plan, step(i, key))
		}
	}
	if request.Renew == RenewNewKey {
		perKey(keepKeyStep)
	}
	perKey(generateStep)
	perKey(attestStep)
	perKey(requestStep)
	plan = append(plan, certificateStep())
	perKey(chainStep)
	perKey(importStep)
	for i, entry := range request.Copies {
		plan = append(plan, importCopyStep(i, entry))
	}
	plan = append(plan, managementKeyStep())
	perKey(possessionStep)
	if request.Review {
		plan = append(plan, reviewStep())
	}
	perKey(keyPairStep)
	plan = append(plan, identityStep())
	if len(request.Copies) > 0 {
		plan = append(plan, enableCopiesStep())
	}
	return append(plan, recordStep())
}

// keyStep fills in what the steps of one key have in common.
func keyStep(id, title string, kind Kind, changes string, key KeyRequest) Step {
	return Step{ID: id, Title: fmt.Sprintf(title, key.Slot), Slot: key.Slot.String(), Kind: kind, Changes: changes}
}

// What a step may change.
const (
	changesNothing = "nothing"
	changesCard    = "card"
	changesGmail   = "Gmail"
	changesFiles   = "files"
)
