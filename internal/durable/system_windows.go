package durable

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

const (
	nonblock = 0
	nofollow = 0
	// devicesByName tells that some names are devices wherever they stand.
	devicesByName = true
	// renamesOpen tells that an open file can be renamed on every file system.
	renamesOpen = false
)

// What the system says of a disk without room, of one that cannot be written, and of
// a file that another program has open so that it cannot be changed.
const (
	ErrDiskFull = windows.ERROR_DISK_FULL
	ErrReadOnly = windows.ERROR_WRITE_PROTECT
	ErrInUse    = windows.ERROR_SHARING_VIOLATION
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
// that makes backups, prevents that for a moment: it is tried again for a while. One that
// keeps it open, such as a spreadsheet, is [ErrInUse].
func rename(root *os.Root, temporary, base string) error {
	const patience = 3 * time.Second
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := root.Rename(temporary, base)
		inUse := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if inUse && time.Now().After(deadline) && isOpenElsewhere(filepath.Join(root.Name(), base)) {
			return ErrInUse
		}
		if !inUse || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
	}
}

// isOpenElsewhere tells whether another program has the file open so that it cannot be
// replaced.
func isOpenElsewhere(path string) bool {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return false
	}
	file, err := windows.CreateFile(name, windows.DELETE, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		return errors.Is(err, ErrInUse)
	}
	_ = windows.CloseHandle(file)
	return false
}

// cannotFlush is true: NTFS journals its names, and a folder cannot be flushed.
func cannotFlush(error) bool { return true }
