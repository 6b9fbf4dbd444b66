package stdio

import (
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Warner is a dependency with something to say before it is used.
type Warner interface{ Warnings() []string }

// Warnings writes the warnings of what is a [Warner], and nothing of what is not.
func Warnings(out io.Writer, of any) {
	warned, ok := of.(Warner)
	if !ok {
		return
	}
	for _, warning := range warned.Warnings() {
		Warning(out, warning)
	}
}

// Note tells a person something that is good to know.
func Note(out io.Writer, note string) {
	fmt.Fprintf(out, "cse-piv: note: %s\n", safetext.Clean(note))
}

// Warning tells a person of something that may be wrong.
func Warning(out io.Writer, warning string) {
	fmt.Fprintf(out, "cse-piv: warning: %s\n", safetext.Clean(warning))
}
