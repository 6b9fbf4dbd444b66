package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
)

// manyFiles is a folder with so many files.
type manyFiles struct {
	fs.ReadDirFile
	left int
}

// ReadDir returns the next n of them.
func (m *manyFiles) ReadDir(n int) ([]fs.DirEntry, error) {
	if m.left == 0 {
		return nil, io.EOF
	}
	n = min(n, m.left)
	m.left -= n
	return make([]fs.DirEntry, n), nil
}

// TestListingIsTold: how far the listing of a very large folder is, is told from time to time, and an
// interrupt ends it.
func TestListingIsTold(t *testing.T) {
	for files, want := range map[int][]int{0: nil, 99_999: nil, 250_000: {100_000, 200_000}} {
		var told []int
		entries, err := readEntries(t.Context(), &manyFiles{left: files}, func(n int) { told = append(told, n) })
		if err != nil || len(entries) != files || !slices.Equal(told, want) {
			t.Errorf("%d: %d entries, told %v, %v", files, len(entries), told, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := readEntries(ctx, &manyFiles{left: 1 << 30}, func(int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
