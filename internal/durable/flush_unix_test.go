//go:build !windows

package durable

import (
	"io/fs"
	"syscall"
	"testing"
)

// TestFoldersThatCannotBeFlushed: some file systems over a network refuse to; what
// is on them is written all the same. A disk that fails is an error.
func TestFoldersThatCannotBeFlushed(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		syscall.EINVAL: true, syscall.ENOTSUP: true, syscall.ENOSYS: true, syscall.EIO: false, syscall.ENOSPC: false, syscall.EROFS: false,
	} {
		if got := cannotFlush(&fs.PathError{Op: "sync", Path: ".", Err: errno}); got != want {
			t.Errorf("%v is passed over: %v", errno, got)
		}
	}
	if cannotFlush(nil) {
		t.Error("no error is one")
	}
}
