// Package durable is the one way in which this program writes and reads files. A
// file that it writes is wholly there or not at all, and on disk when the call
// returns: a temporary file in the same folder, flushed, renamed, and the folder
// flushed. A file that it reads is a regular one and no larger than it may be.
// (renameio does not build on Windows, where this program's users are.)
//
// Files and folders with a mode of the owner alone are made private on Windows too,
// where the file system keeps access control lists: for this user, the system and its
// administrators.
package durable

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
)

// ErrDifferent is wrapped by the error of [KeepFile] where a file with other
// contents has the name.
var ErrDifferent = errors.New("a file with other contents has that name")

// WriteFile replaces the file at path with data.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return Write(path, mode, whole(data))
}

// Write replaces the file at path with what write writes. When write fails, the
// file stays as it was. A symbolic link at path is replaced, not followed. What a
// write that was killed left in the folder is removed.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	folder := Folder(filepath.Dir(path))
	_ = folder.Sweep(".", nil) // it may be somebody else's to remove
	return folder.Write(filepath.Base(path), mode, write)
}

// KeepFile writes a new file at path. Where one with the same contents is there
// it does nothing; one with others it leaves alone and returns an error that is
// [ErrDifferent]. What was interrupted before is an empty file, and is replaced.
func KeepFile(path string, data []byte, mode fs.FileMode) error {
	old, err := ReadFile(path, int64(len(data)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Whoever reserves the name first has it; a rename would replace it.
		err = Folder(filepath.Dir(path)).CreateFile(filepath.Base(path), nil, mode)
		if errors.Is(err, fs.ErrExist) {
			return &fs.PathError{Op: "write", Path: path, Err: ErrDifferent}
		}
		if err != nil {
			return err
		}
	case errors.Is(err, ErrTooLarge), err == nil && len(old) > 0 && !bytes.Equal(old, data):
		return &fs.PathError{Op: "write", Path: path, Err: ErrDifferent}
	case err != nil:
		return err
	case bytes.Equal(old, data):
		return nil
	}
	return WriteFile(path, data, mode)
}

// MakeFile makes an empty private file at path where there is none, also where a symbolic
// link leads, and makes sure that it is a regular one.
func MakeFile(path string) error {
	file, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = openOrCreate(path)
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func whole(data []byte) func(io.Writer) error {
	return func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	}
}
