package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// restrict lets nobody but this user open the file or folder at path, where mode
// is of the owner alone and the file system keeps access control lists. What is
// made in a folder later inherits it. Nothing from the folder above is inherited.
func restrict(path string, mode fs.FileMode) error {
	if mode.Perm()&0o077 != 0 {
		return nil
	}
	if keeps, err := keepsAccess(path); err != nil || !keeps {
		return err
	}
	inheritance := uint32(windows.NO_INHERITANCE)
	if mode.IsDir() {
		inheritance = windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("finding this user: %w", err)
	}
	list, err := windows.ACLFromEntries([]windows.EXPLICIT_ACCESS{{
		AccessPermissions: windows.GENERIC_ALL,
		AccessMode:        windows.GRANT_ACCESS,
		Inheritance:       inheritance,
		Trustee: windows.TRUSTEE{
			TrusteeForm:  windows.TRUSTEE_IS_SID,
			TrusteeType:  windows.TRUSTEE_IS_USER,
			TrusteeValue: windows.TrusteeValueFromSID(user.User.Sid),
		},
	}}, nil)
	if err != nil {
		return fmt.Errorf("making an access control list: %w", err)
	}
	err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	if err != nil {
		return &fs.PathError{Op: "restrict access to", Path: path, Err: err}
	}
	return nil
}

// keepsAccess tells whether the file system keeps access control lists; FAT, on
// most sticks, does not.
func keepsAccess(path string) (bool, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return false, err
	}
	volume := make([]uint16, windows.MAX_PATH+1)
	if err := windows.GetVolumePathName(name, &volume[0], uint32(len(volume))); err != nil {
		return false, &fs.PathError{Op: "find the volume of", Path: path, Err: err}
	}
	var flags uint32
	if err := windows.GetVolumeInformation(&volume[0], nil, 0, nil, nil, &flags, nil, 0); err != nil {
		return false, &fs.PathError{Op: "ask the volume of", Path: filepath.VolumeName(path), Err: err}
	}
	return flags&windows.FILE_PERSISTENT_ACLS != 0, nil
}

// modesCount tells that a file's mode says who can read and write it; here it
// does not.
const modesCount = false

func isPrivate(file *os.File) (bool, error) { return keepsAccess(file.Name()) }

func ownedSafely(fs.FileInfo) bool { return true }
