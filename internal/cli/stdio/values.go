package stdio

import (
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Values writes values a line each, with their details below them.
func Values(out io.Writer, indent string, values []describe.Value) {
	for _, value := range values {
		fmt.Fprintf(out, "%s%s: %s\n", indent, safetext.Clean(value.Label), safetext.Clean(value.Text))
		for _, detail := range value.Details {
			fmt.Fprintf(out, "%s    %s\n", indent, safetext.Clean(detail))
		}
	}
}
