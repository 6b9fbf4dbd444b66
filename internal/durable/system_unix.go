//go:build !windows

package durable

import (
	"errors"
	"os"
	"syscall"
)

const (
	// nonblock opens a pipe without waiting for its other end.
	nonblock = syscall.O_NONBLOCK
	nofollow = syscall.O_NOFOLLOW
	// devicesByName tells that some names are devices wherever they stand.
	devicesByName = false
	// renamesOpen tells that an open file can be renamed on every file system.
	renamesOpen = true
)

// What the system says of a disk without room, of one that cannot be written, and of
// a file that another program has open so that it cannot be changed.
const (
	ErrDiskFull = syscall.ENOSPC
	ErrReadOnly = syscall.EROFS
	ErrInUse    = syscall.ETXTBSY
)

// lock takes a file's lock. Where the file system has none, nobody else can take
// it either.
func lock(file *os.File) { _ = flockFile(file, syscall.LOCK_EX) }

// tryLock reports whether it took a file's lock, which its closing gives back.
func tryLock(file *os.File) bool { return flockFile(file, syscall.LOCK_EX|syscall.LOCK_NB) == nil }

func flockFile(file *os.File, how int) error {
	connection, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var lockErr error
	err = connection.Control(func(fd uintptr) {
		for {
			if lockErr = syscall.Flock(int(fd), how); lockErr != syscall.EINTR {
				return
			}
		}
	})
	return errors.Join(err, lockErr)
}

// rename replaces base, whoever has it open.
func rename(root *os.Root, temporary, base string) error { return root.Rename(temporary, base) }

// cannotFlush tells the error of a file system that does not flush folders, as
// some over a network do.
func cannotFlush(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS)
}
