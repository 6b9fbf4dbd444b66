package check

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
)

// attestation says which roots vouch for cards, and how old what is below them is.
func (s Setup) attestation(context.Context) desk.Check {
	trust, err := s.Trust.Open()
	if err != nil {
		return failed(err)
	}
	if roots := trust.Foreign(); s.Practice {
		return ok("the practice lab's root")
	} else if len(roots) > 0 {
		return warned(&failure.ForeignError{What: enroll.RootsText(roots), Flag: "attestation-roots", Variable: setting.EnvironmentName("attestation-roots")})
	}
	newest := trust.Intermediates[0].NotBefore
	for _, intermediate := range trust.Intermediates {
		if intermediate.NotBefore.After(newest) {
			newest = intermediate.NotBefore
		}
	}
	text := fmt.Sprintf("Yubico's %s and %s, the newest of %s", format.Count(len(trust.Roots), "root"), format.Count(len(trust.Intermediates), "intermediate"), format.Day(newest))
	if updated := option.AuthoritiesUpdated(); !updated.IsZero() {
		return ok("%s; updated on %s", text, format.Day(updated))
	}
	return ok("%s; never updated", text)
}
