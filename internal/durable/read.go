package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

var (
	// ErrNotRegular is wrapped by the errors about a pipe, device, socket or folder
	// where a file is expected: reading one may never end.
	ErrNotRegular = errors.New("not a regular file")
	// ErrTooLarge is wrapped by the errors about a file that is larger than it may be.
	ErrTooLarge = errors.New("too large")
)

// Open opens a regular file for reading, following symbolic links. It never waits
// for a pipe's other end; what is no regular file gives [ErrNotRegular].
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path) // opening some devices does something
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	return opened(file, path)
}

// ReadFile reads a regular file of at most limit bytes, following symbolic links.
// The error is [ErrNotRegular] or [ErrTooLarge] for another one.
func ReadFile(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadAll(file, limit)
}

// ReadAll reads an opened file to its end; more than limit bytes are [ErrTooLarge].
func ReadAll(file *os.File, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &fs.PathError{Op: "read", Path: file.Name(), Err: fmt.Errorf("%w: more than %s", ErrTooLarge, size(limit))}
	}
	return data, nil
}

// opened makes sure that it is the regular file that was looked at before.
func opened(file *os.File, path string) (*os.File, error) {
	info, err := file.Stat()
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func regular(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	what := "a device"
	switch mode := info.Mode(); {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("it is %s, %w", what, ErrNotRegular)}
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	case bytes >= 1<<10:
		return fmt.Sprintf("%d kB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
