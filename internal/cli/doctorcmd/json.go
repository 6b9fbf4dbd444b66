package doctorcmd

import (
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/desk"
)

// DoctorJSON is the output of doctor --json; the names are a contract.
type DoctorJSON struct {
	Email  string         `json:"email,omitempty"` // whom Gmail was asked for
	Checks []CheckJSON    `json:"checks"`
	Error  *stdio.Failure `json:"error,omitempty"` // with which the command ends
}

// CheckJSON is one check of doctor --json; the names are a contract.
type CheckJSON struct {
	Name   string          `json:"name"`
	Needs  []string        `json:"needs,omitempty"`  // the checks without which it is skipped
	State  desk.CheckState `json:"state"`            // "ok", "warning", "failed" or "skipped"
	Found  string          `json:"found"`            // for people
	Reason string          `json:"reason,omitempty"` // a stable name of why it is not all right; see failure reasons
	Fix    string          `json:"fix,omitempty"`    // what to do
}

func newJSON(streams *stdio.Streams, email string, checks []desk.Check, end error) DoctorJSON {
	out := DoctorJSON{Email: email, Checks: []CheckJSON{}, Error: streams.FailureOf(end)}
	for _, check := range checks {
		shown := CheckJSON{Name: check.Name, Needs: check.Needs, State: check.State, Found: check.Detail, Fix: check.Fix}
		if check.Err != nil {
			shown.Reason = failure.Reason(check.Err)
		}
		out.Checks = append(out.Checks, shown)
	}
	return out
}
