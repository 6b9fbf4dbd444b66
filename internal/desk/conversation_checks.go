package desk

import "slices"

// checked takes in the checks, and has those finished that take their time, each by
// itself.
func (c *Conversation) checked(checks []Check) []Effect {
	c.checks++
	c.Checks, c.Retry = slices.Clone(checks), nil
	var effects []Effect
	for i, check := range checks {
		if check.State == CheckRunning && check.Finish != nil {
			effects = append(effects, FinishCheck{Number: c.checks, Index: i, Check: check})
		}
	}
	return effects
}

func (c *Conversation) checkFinished(event CheckFinished) {
	if event.Number != c.checks || event.Index >= len(c.Checks) {
		return // they were begun anew
	}
	c.Checks[event.Index] = event.Check
	if c.Phase == PhaseStart && !c.Checking() {
		c.Retry = nil
	}
}

// Checking reports whether checks are not finished.
func (c *Conversation) Checking() bool {
	return slices.ContainsFunc(c.Checks, func(check Check) bool { return check.State == CheckRunning })
}
