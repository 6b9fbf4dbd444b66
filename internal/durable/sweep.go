package durable

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
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
		isTemporary := isTemporary(entry.Name())
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

// earlier are the names of the temporary files that versions before this one wrote:
// what they left of an escrow record holds its secrets.
var earlier = regexp.MustCompile(`^\..+\.(json|age|ndjson|pem|p7pem|csr|holder)\.[0-9]+\.tmp$`)

func isTemporary(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, temporarySuffix) || earlier.MatchString(name)
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
