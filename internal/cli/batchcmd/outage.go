package batchcmd

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/format"
)

// tellOutage tells when nobody gets through, what that means, and when it is over.
func (p *batchProgress) tellOutage(e batch.Event) {
	if e.Kind == batch.KindResumed {
		p.hinted = false
		p.bar.Note("cse-piv: somebody got through: going on")
		return
	}
	text := fmt.Sprintf("nobody has got through for %s: %s", format.Duration(e.Outage.For), e.Message)
	if e.Counts != nil {
		text += fmt.Sprintf("; %s users wait", format.Number(e.Counts.Waiting))
	}
	if e.Kind == batch.KindPaused {
		text = "paused: " + text + ", and one is tried from time to time"
	}
	if e.Outage.Cause != nil {
		text += "; " + nextTry(e.Outage)
	}
	p.bar.Note("cse-piv: " + text)
	if e.Hint != "" && !p.hinted {
		p.hinted = true
		p.bar.Note("cse-piv: hint: " + e.Hint)
	}
}

// outageText says beside the bar why it does not go on.
func outageText(s *batch.Outage) string {
	switch {
	case s == nil:
		return ""
	case s.Cause == nil:
		return "no answer for " + format.Duration(s.For)
	case s.Paused:
		return "paused, " + nextTry(s)
	}
	return nextTry(s)
}

func nextTry(s *batch.Outage) string { return "next try in " + format.Duration(s.Next) }
