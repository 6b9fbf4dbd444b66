package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// ErrLink is wrapped by the errors about a symbolic link inside a [Folder].
var ErrLink = errors.New("a symbolic link, which is not followed here")

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
	err = os.Mkdir(path, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil // meanwhile, by somebody else
	}
	if err != nil {
		return err
	}
	return restrict(path, mode|fs.ModeDir)
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
	if err := root.Mkdir(base, mode); err != nil {
		return f.failed("mkdir", name, err)
	}
	return restrict(f.Path(name), mode|fs.ModeDir)
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
	file, err := f.openFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadAll(file, limit)
}

// WriteFile replaces a file with data, as [WriteFile] does.
func (f Folder) WriteFile(name string, data []byte, mode fs.FileMode) error {
	return f.Write(name, mode, whole(data))
}

// Write replaces a file with what write writes, as [Write] does.
func (f Folder) Write(name string, mode fs.FileMode, write func(io.Writer) error) error {
	root, base, err := f.open(name)
	if err != nil {
		return err
	}
	defer root.Close()
	temporary, file, err := f.temporary(root, name, mode)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if err == nil && !renamesOpen {
		err = file.Close()
	}
	if err == nil {
		err = root.Rename(temporary, base)
	}
	if err != nil {
		_ = file.Close()
		// Where even this fails, Sweep takes it away.
		_ = root.Remove(temporary)
		return f.failed("write", name, err)
	}
	_ = file.Close() // flushed already
	return f.sync(root, name)
}

// CreateFile writes a new file; where the name is taken it leaves that alone and
// returns an error that is fs.ErrExist. There is never a second copy of data, not
// even for a moment: what is left where the process is killed in the middle is the
// empty file, which [Folder.Sweep] takes away. So data has to be small.
func (f Folder) CreateFile(name string, data []byte, mode fs.FileMode) error {
	root, base, err := f.open(name)
	if err != nil {
		return err
	}
	defer root.Close()
	file, err := f.create(root, base, mode)
	if err != nil {
		return f.failed("create", name, err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		_ = root.Remove(base)
		return f.failed("write", name, err)
	}
	return f.sync(root, name)
}

// OpenAppend opens a regular file to read it and to write at its end, and makes
// it where it is missing.
func (f Folder) OpenAppend(name string, mode fs.FileMode) (*os.File, error) {
	file, err := f.openFile(name, os.O_RDWR|os.O_APPEND, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if err := f.CreateFile(name, nil, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return f.openFile(name, os.O_RDWR|os.O_APPEND, 0)
}

// Lock returns the lock of that name, a private file in the folder.
func (f Folder) Lock(name string) (*flock.Flock, error) {
	file, err := f.OpenAppend(name, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return flock.New(f.Path(name), flock.SetFlag(os.O_RDONLY|nofollow|nonblock)), nil
}

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

const temporarySuffix = ".cse-piv.tmp"

// temporary makes a new file beside name.
func (f Folder) temporary(root *os.Root, name string, mode fs.FileMode) (string, *os.File, error) {
	temporary := "." + rand.Text() + temporarySuffix
	file, err := f.create(root, temporary, mode)
	if err != nil {
		return "", nil, f.failed("write", name, err)
	}
	return temporary, file, nil
}

// create makes an empty file and holds its lock, by which Sweep knows that it is
// being written.
func (f Folder) create(root *os.Root, base string, mode fs.FileMode) (*os.File, error) {
	for {
		file, err := root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return nil, err
		}
		lock(file)
		err = isAt(root, base, file)
		if errors.Is(err, fs.ErrNotExist) { // swept before it was locked
			_ = file.Close()
			continue
		}
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if err := restrict(filepath.Join(root.Name(), base), mode); err != nil {
			return nil, errors.Join(err, file.Close(), root.Remove(base))
		}
		if mode.Perm()&0o077 != 0 {
			_ = file.Chmod(mode) // whatever the umask; FAT has no modes
		}
		return file, nil
	}
}

// openFile opens a regular file that is there.
func (f Folder) openFile(name string, flag int, mode fs.FileMode) (*os.File, error) {
	root, base, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
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
	file, err := root.OpenFile(base, flag|nonblock, mode)
	if err != nil {
		return nil, f.failed("open", name, err)
	}
	if err := isAt(root, base, file); err != nil {
		return nil, errors.Join(f.failed("open", name, err), file.Close())
	}
	return file, nil
}

// open opens the folder that a name is in, without following links below f, and
// returns the name's last part.
func (f Folder) open(name string) (*os.Root, string, error) {
	dir, base := path.Split(name)
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, "", &fs.PathError{Op: "open", Path: f.Path(name), Err: fs.ErrInvalid}
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

// isAt makes sure that what was opened has the name, and was not reached by a link
// that somebody put there meanwhile.
func isAt(root *os.Root, base string, opened *os.File) error {
	mine, err := opened.Stat()
	if err != nil {
		return err
	}
	there, err := root.Lstat(base)
	if err == nil && !os.SameFile(mine, there) {
		err = ErrLink
	}
	return err
}

func noLink(info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("it is %w", ErrLink)
	}
	return nil
}

// sync flushes the folder's entries, without which a new name can be lost with
// the power. Some file systems cannot, and need not.
func (f Folder) sync(root *os.Root, name string) error {
	folder, err := root.Open(".")
	if err != nil {
		return f.failed("flush the folder of", name, err)
	}
	err = folder.Sync()
	if cannotFlush(err) {
		err = nil
	}
	return f.failed("flush the folder of", name, errors.Join(err, folder.Close()))
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
