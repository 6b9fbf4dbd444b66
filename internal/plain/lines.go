package plain

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// line is a value in one line, which says itself what needs attention.
func line(value describe.Value) string {
	text := value.Text
	if value.Label != "" {
		text = value.Label + ": " + text
	}
	tone := map[describe.Tone]string{describe.Warning: "warning", describe.Bad: "error"}[value.Tone]
	if tone == "" || tone == value.Label {
		return text
	}
	return tone + ": " + text
}

// Receipt shows a person what the enrollment came to. Every line can be understood
// by itself.
func Receipt(out io.Writer, receipt *enroll.Receipt) error {
	return columns(out, describe.Receipt(receipt))
}

// ShortReceipt is Receipt for a desk, see describe.ShortReceipt.
func ShortReceipt(out io.Writer, receipt *enroll.Receipt) error {
	return columns(out, describe.ShortReceipt(receipt))
}

// columns writes values, one a line, the texts below each other.
func columns(out io.Writer, values []describe.Value) error {
	rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, value := range values {
		fmt.Fprintf(rows, "%s\t%s\n", safetext.Clean(value.Label), safetext.Clean(value.Text))
	}
	return rows.Flush()
}

// Preview writes what a run would come to at each step, and what would be lost.
// Its error is that of out.
func Preview(out io.Writer, preview *enroll.Preview) (err error) {
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintln(out, safetext.Clean(fmt.Sprintf(format, args...)))
		}
	}
	for i, step := range preview.Steps {
		value := describe.Step(step)
		if step.Err != nil { // which is its first detail
			value.Text, value.Details = value.Text+": "+value.Details[0], value.Details[1:]
		}
		if step.Outcome == enroll.OutcomeWould {
			value.Label = "would " + value.Label
		}
		say("  %2d  %s: %s", i+1, value.Label, value.Text)
		for _, detail := range value.Details {
			say("      %s", detail)
		}
	}
	for _, value := range describe.Continued(preview) {
		say("  %s", value.Text)
	}
	for _, loss := range preview.Losses() {
		say("  lost: %s", loss)
	}
	return err
}
