package durable

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Sweep removes from the folder of that name what processes that were killed left
// half-written: temporary files and, where leftover is given, the empty files that
// it wants. What somebody writes at this moment stays.
func (f Folder) Sweep(name string, leftover func(name string) bool) error {
	root, err := f.enter(name)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return f.failed("open", name, err)
	}
	var problems []error
	for _, entry := range entries {
		isTemporary := strings.HasPrefix(entry.Name(), ".") && strings.HasSuffix(entry.Name(), temporarySuffix)
		if !entry.Type().IsRegular() || !isTemporary && (leftover == nil || !leftover(entry.Name())) {
			continue
		}
		err := sweep(root, entry.Name(), !isTemporary)
		// What belongs to another user is theirs to take away.
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			problems = append(problems, f.failed("remove", path.Join(name, entry.Name()), err))
		}
	}
	return errors.Join(problems...)
}

// sweep removes a file that nobody writes.
func sweep(root *os.Root, name string, onlyEmpty bool) error {
	file, err := root.OpenFile(name, os.O_RDWR|nofollow|nonblock, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if !tryLock(file) {
		return nil
	}
	info, err := file.Stat()
	if err != nil || onlyEmpty && info.Size() > 0 {
		return err
	}
	return root.Remove(name)
}
