package safetext

import (
	"io/fs"
	"strings"
)

// FileError returns an error's text without what Go calls the functions in which errors of
// files happened: "stat keys.csv: no such file or directory" says no more than the rest.
func FileError(err error) string {
	text := err.Error()
	var visit func(error)
	visit = func(err error) {
		if path, ok := err.(*fs.PathError); ok {
			text = strings.ReplaceAll(text, path.Error(), path.Path+": "+path.Err.Error())
		}
		switch wrapper := err.(type) {
		case interface{ Unwrap() error }:
			if inner := wrapper.Unwrap(); inner != nil {
				visit(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range wrapper.Unwrap() {
				visit(inner)
			}
		}
	}
	visit(err)
	return text
}
