package durable

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

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
		err = rename(root, temporary, base)
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
	file, err := f.openFile(name, os.O_RDWR|os.O_APPEND)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if err := f.CreateFile(name, nil, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return f.openFile(name, os.O_RDWR|os.O_APPEND)
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

// temporarySuffix ends the name of a file that is being written.
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
		file, err := createNew(root, base, mode)
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
		if !isOwners(mode) {
			_ = file.Chmod(mode) // whatever the umask; FAT has no modes
		}
		return file, nil
	}
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
