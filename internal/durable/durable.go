// Package durable writes files that are either wholly there or not at all, and
// that are on disk when the call returns: a temporary file in the same folder,
// flushed, renamed, and the folder flushed. (renameio does not build on Windows,
// where this program's users are.)
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path with data.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return Write(path, mode, whole(data))
}

// Write replaces the file at path with what write writes. When write fails, the
// file stays as it was.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	temporary, err := writeTemporary(path, mode, write)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncFolder(filepath.Dir(path))
}

// CreateFile writes a new file at path; where one is already there it leaves it
// alone and returns an error that is fs.ErrExist.
func CreateFile(path string, data []byte, mode fs.FileMode) error {
	temporary, err := writeTemporary(path, mode, whole(data))
	if err != nil {
		return err
	}
	// A link fails where the name is taken, a rename would replace it.
	err = os.Link(temporary, path)
	if removeErr := os.Remove(temporary); err == nil {
		err = removeErr
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}

func whole(data []byte) func(io.Writer) error {
	return func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	}
}

func writeTemporary(path string, mode fs.FileMode, write func(io.Writer) error) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	err = write(file)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	return file.Name(), errors.Join(err, file.Close())
}
