package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// ErrLink is wrapped by the errors about a symbolic link inside a [Folder].
var ErrLink = errors.New("a symbolic link, which is not followed here")

// nameError is a name that no file can have, or that leads out of the folder.
type nameError struct{}

// Error says that it is about the name.
func (nameError) Error() string { return "this cannot be the name of a file here" }

// Is makes it fs.ErrInvalid.
func (nameError) Is(target error) bool { return target == fs.ErrInvalid }

// Folder is the path of a folder that this program keeps files in. The names that
// its methods take lead down from there, with slashes between their parts. No
// symbolic link below the folder is followed: somebody else may have put it there.
type Folder string

// MakeFolder makes the folder at path, and those above it, where they are missing.
func MakeFolder(path string, mode fs.FileMode) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: path, Err: errors.New("it is not a folder")}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if above := filepath.Dir(path); above != path {
		if err := MakeFolder(above, mode); err != nil {
			return err
		}
	}
	err = createFolderAt(path, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil // meanwhile, by somebody else
	}
	return err
}

// MakeTemporary makes a new private folder among the system's temporary files. Its name
// begins with prefix.
func MakeTemporary(prefix string) (path string, err error) {
	path = filepath.Join(os.TempDir(), prefix+rand.Text())
	return path, createFolderAt(path, 0o700)
}

// Make makes the folder and the one of that name in it, where they are missing.
func (f Folder) Make(name string, mode fs.FileMode) error {
	if err := MakeFolder(string(f), mode); err != nil {
		return err
	}
	for i := range len(name) + 1 {
		if i == len(name) || name[i] == '/' {
			if err := f.Mkdir(name[:i], mode); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	}
	return nil
}

// Mkdir makes a new folder; where the name is taken the error is fs.ErrExist.
func (f Folder) Mkdir(name string, mode fs.FileMode) error {
	root, base, err := f.open(name)
	if err != nil {
		return err
	}
	defer root.Close()
	return f.failed("mkdir", name, createFolder(root, base, mode))
}

// Path returns the path of a name.
func (f Folder) Path(name string) string { return filepath.Join(string(f), filepath.FromSlash(name)) }

// Entries lists the folder of that name, in the order of the names; "." is the
// folder itself.
func (f Folder) Entries(name string) ([]fs.DirEntry, error) {
	root, err := f.enter(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	return entries, f.failed("open", name, err)
}

// Stat describes a file; a symbolic link is [ErrLink].
func (f Folder) Stat(name string) (fs.FileInfo, error) {
	root, base, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Lstat(base)
	if err == nil {
		err = noLink(info)
	}
	return info, f.failed("stat", name, err)
}

// ReadFile reads a regular file of at most limit bytes, as [ReadFile] does.
func (f Folder) ReadFile(name string, limit int64) ([]byte, error) {
	file, err := f.openFile(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadAll(file, limit)
}

// openFile opens a regular file that is there.
func (f Folder) openFile(name string, flag int) (*os.File, error) {
	root, base, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	const often = 100 // than which nobody replaces it while it is opened
	for try := 1; ; try++ {
		looked, err := root.Lstat(base)
		if err == nil {
			err = noLink(looked)
		}
		if err != nil {
			return nil, f.failed("open", name, err)
		}
		if err := regular(f.Path(name), looked); err != nil {
			return nil, err
		}
		file, err := root.OpenFile(base, flag|nonblock, 0)
		if err != nil {
			return nil, f.failed("open", name, err)
		}
		err = isAt(root, base, file)
		if err == nil {
			return file, nil
		}
		_ = file.Close()
		if !errors.Is(err, errMoved) || try == often {
			return nil, f.failed("open", name, err)
		}
	}
}

// open opens the folder that a name is in, without following links below f, and
// returns the name's last part.
func (f Folder) open(name string) (*os.Root, string, error) {
	dir, base := path.Split(name)
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, "", &fs.PathError{Op: "open", Path: f.Path(name), Err: nameError{}}
	}
	root, err := f.enter(path.Clean(dir))
	return root, base, err
}

// enter opens the folder of that name.
func (f Folder) enter(name string) (*os.Root, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil || name == "." {
		return root, err
	}
	for part := range strings.SplitSeq(name, "/") {
		next, err := enterPart(root, part)
		if err = errors.Join(err, root.Close()); err != nil {
			return nil, f.failed("open", name, err)
		}
		root = next
	}
	return root, nil
}

func enterPart(root *os.Root, part string) (*os.Root, error) {
	looked, err := root.Lstat(part)
	if err == nil {
		err = noLink(looked)
	}
	if err != nil {
		return nil, err
	}
	next, err := root.OpenRoot(part)
	if err != nil {
		return nil, err
	}
	opened, err := next.Open(".")
	if err == nil {
		err = errors.Join(isAt(root, part, opened), opened.Close())
	}
	if err != nil {
		return nil, errors.Join(err, next.Close())
	}
	return next, nil
}

// errMoved says that something else has the name by now.
var errMoved = errors.New("it was replaced meanwhile")

// isAt makes sure that what was opened has the name, and was not reached by a link
// that somebody put there meanwhile. Where another file has the name the error is
// errMoved.
func isAt(root *os.Root, base string, opened *os.File) error {
	mine, err := opened.Stat()
	if err != nil {
		return err
	}
	there, err := root.Lstat(base)
	if err == nil {
		err = noLink(there)
	}
	if err == nil && !os.SameFile(mine, there) {
		err = errMoved
	}
	return err
}

func noLink(info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("it is %w", ErrLink)
	}
	return nil
}

// failed tells of the whole path: a root's own errors have only the last part.
func (f Folder) failed(doing, name string, err error) error {
	if err == nil {
		return nil
	}
	switch of := err.(type) {
	case *fs.PathError:
		err = of.Err
	case *os.LinkError:
		err = of.Err
	}
	return &fs.PathError{Op: doing, Path: f.Path(name), Err: err}
}
