package stdio

import (
	"bytes"
	"io"
	"strings"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// JSONList writes the same as [JSON] does of an object with a list and how the command
// ended, element by element: a list of any length takes no more memory than its longest
// element.
type JSONList struct {
	out    io.Writer
	before string // what stands before the next element
	err    error  // the first of writing
}

// NewJSONList begins an object with a list of that name.
func NewJSONList(out io.Writer, name string) *JSONList {
	l := &JSONList{out: out, before: "\n    "}
	l.text("{\n  \"" + name + "\": [")
	return l
}

// Add writes an element.
func (l *JSONList) Add(element any) {
	l.text(l.before)
	l.value(element, "    ")
	l.before = ",\n    "
}

// Close ends the list and the object, with the field "error" where the command failed, and
// returns the first error of writing.
func (l *JSONList) Close(failure *Failure) error {
	if strings.HasPrefix(l.before, ",") {
		l.text("\n  ")
	}
	l.text("]")
	if failure != nil {
		l.text(",\n  \"error\": ")
		l.value(failure, "  ")
	}
	l.text("\n}\n")
	return l.err
}

// value writes a value whose lines but the first begin with that indentation.
func (l *JSONList) value(value any, indent string) {
	var lines bytes.Buffer
	if err := safetext.EncodeJSON(&lines, value, "  "); err != nil && l.err == nil {
		l.err = err
	}
	l.text(strings.ReplaceAll(strings.TrimSuffix(lines.String(), "\n"), "\n", "\n"+indent))
}

func (l *JSONList) text(text string) {
	if l.err == nil {
		_, l.err = io.WriteString(l.out, text)
	}
}
