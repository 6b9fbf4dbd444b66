package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// generator is how an HTML page says that it is a report.
const generator = `<meta name="generator" content="cse-piv">`

// isReport reports whether a file that begins so is a report of either kind, in any format. Columns
// that came later may be missing.
func isReport(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	for _, begin := range []string{
		strings.Join(csvColumns[:8], ","), strings.Join(expiringColumns[:8], ","), "{\n\"run\": {", "{\n\"made\": \"",
	} {
		if bytes.HasPrefix(head, []byte(begin)) {
			return true
		}
	}
	return bytes.HasPrefix(head, []byte("<!doctype html>")) && bytes.Contains(head, []byte(generator))
}

// CheckReplaceable returns an error that is [durable.ErrDifferent] where there is a file at path that
// is no earlier report, and that a report is therefore not to be written over. An empty file is none.
func CheckReplaceable(path string) error {
	file, err := durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking whether %s is an earlier report: %w", path, err)
	}
	defer file.Close()
	head := make([]byte, 4<<10)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("looking whether %s is an earlier report: %w", path, err)
	}
	if n > 0 && !isReport(head[:n]) {
		return &fs.PathError{Op: "write", Path: path, Err: durable.ErrDifferent}
	}
	return nil
}
