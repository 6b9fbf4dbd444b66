package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// others are those who have access to a file besides its owner and the system's
// administrators.
type others struct {
	who      string // how the system tells it, "" for nobody
	remedy   string // the command that takes the access away
	everyone bool   // it is not a group or a single user
}

// isOwners reports whether a mode is of the owner alone.
func isOwners(mode fs.FileMode) bool { return mode.Perm()&0o077 == 0 }

// ReadWarning says that others on this machine can read a private file, and what to
// do about it; "" where nobody can, or where the system does not tell. The file is
// at path and was opened as info says.
func ReadWarning(path string, info fs.FileInfo) string {
	by := readers(path, info)
	if by.who == "" {
		return ""
	}
	return fmt.Sprintf("%s can be read by others on this machine (%s): %s", path, by.who, by.remedy)
}

// WriteWarning says that others on this machine can change a file, or the names in
// a folder, or replace it by way of a folder above it, and what to do about it; ""
// where nobody can, or where the system does not tell. What is not there yet is judged
// by the folder that it will be made in. everyone tells that it is not a group or a
// single user who can.
func WriteWarning(path string) (warning string, everyone bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	for named := path; ; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err == nil {
			if path == named && !ownedSafely(path, info) {
				return fmt.Sprintf("%s belongs to another user of this machine, who can change it", path), false
			}
			if by := writers(path, info, path != named); by.who != "" {
				return fmt.Sprintf("%s can be changed by others on this machine (%s): %s", path, by.who, by.remedy), by.everyone
			}
		}
		if path == filepath.Dir(path) {
			return "", false
		}
	}
}
