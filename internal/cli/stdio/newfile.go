package stdio

import (
	"errors"
	"io"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// WriteNew writes a file that others may read. It replaces none with other contents,
// unless it is told to, and then says so.
func WriteNew(say io.Writer, path string, data []byte, overwrite bool) error {
	err := durable.KeepFile(path, data, 0o644)
	if !overwrite || !errors.Is(err, durable.ErrDifferent) {
		return err
	}
	if err := durable.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	Note(say, path+" had other contents, which were replaced")
	return nil
}
