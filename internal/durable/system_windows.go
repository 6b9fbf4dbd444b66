package durable

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const (
	nonblock = 0
	nofollow = 0
	// renamesOpen tells that an open file can be renamed on every file system.
	renamesOpen = false
)

// lock takes a file's lock. Where the file system has none, nobody else can take
// it either.
func lock(file *os.File) { _ = lockFile(file, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// tryLock reports whether it took a file's lock, which its closing gives back.
func tryLock(file *os.File) bool {
	return lockFile(file, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY) == nil
}

// lockFile locks an octet far behind the contents: locked ones cannot be read.
func lockFile(file *os.File, how uint32) error {
	connection, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var lockErr error
	err = connection.Control(func(handle uintptr) {
		lockErr = windows.LockFileEx(windows.Handle(handle), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	})
	return errors.Join(err, lockErr)
}

// rename replaces base. Another program that has it open, such as a virus scanner or one
// that makes backups, prevents that for a moment: it is tried again for a while.
func rename(root *os.Root, temporary, base string) error {
	const patience = 3 * time.Second
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := root.Rename(temporary, base)
		inUse := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !inUse || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
	}
}

// cannotFlush is true: NTFS journals its names, and a folder cannot be flushed.
func cannotFlush(error) bool { return true }
