package safetext

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestFileError(t *testing.T) {
	missing := &fs.PathError{Op: "stat", Path: "keys.csv", Err: fs.ErrNotExist}
	for _, test := range []struct {
		err  error
		want string
	}{
		{missing, "keys.csv: file does not exist"},
		{fmt.Errorf("local CA: key: %w", missing), "local CA: key: keys.csv: file does not exist"},
		{errors.Join(errors.New("first"), fmt.Errorf("--from: %w", missing)), "first\n--from: keys.csv: file does not exist"},
		{errors.New("stat of the card"), "stat of the card"},
	} {
		if got := FileError(test.err); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
