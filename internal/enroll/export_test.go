package enroll

import "context"

// RunWatched is Run, with a call before and after each step's look.
func RunWatched(ctx context.Context, deps Dependencies, request Request, before, after func(step string)) (*Receipt, error) {
	e, err := run(ctx, deps, request, func(request Request) Plan {
		plan := NewPlan(request)
		for i, step := range plan {
			if step.look == nil {
				continue
			}
			plan[i].look = func(ctx context.Context, e *enrollment) (bool, error) {
				before(step.ID)
				defer after(step.ID)
				return step.look(ctx, e)
			}
		}
		return plan
	})
	return e.receipt, err
}
