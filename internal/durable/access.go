package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadWarning says that others on this machine can read a private file, and what to
// do about it; "" where nobody can, or where the system does not tell by the mode.
func ReadWarning(path string, info fs.FileInfo) string {
	if !modesCount || info.Mode().Perm()&0o044 == 0 {
		return ""
	}
	return fmt.Sprintf("%s can be read by others on this machine (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
}

// WriteWarning says that others on this machine can change a file, or the names in
// a folder, or replace it by way of a folder above it, and what to do about it; ""
// where nobody can, or where the system does not tell by the mode. What is not
// there yet is judged by the folder that it will be made in. everyone tells that it
// is not a group or a single user who can.
func WriteWarning(path string) (warning string, everyone bool) {
	path, err := filepath.Abs(path)
	if err != nil || !modesCount {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	for named := path; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case path == named && !ownedSafely(info):
			return fmt.Sprintf("%s belongs to another user of this machine, who can change it", path), false
		// Where names are protected by the sticky bit, as in /tmp, nobody can replace
		// what is somebody else's; but anybody can put something new there.
		case info.Mode().Perm()&0o022 != 0 && (path == named || info.Mode()&fs.ModeSticky == 0):
			return fmt.Sprintf("%s can be changed by others on this machine (mode %04o): chmod go-w %s", path, info.Mode().Perm(), path), info.Mode().Perm()&0o002 != 0
		}
		if path == filepath.Dir(path) {
			return "", false
		}
	}
}
