package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cse-piv/cse-piv/internal/format"
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
func Open(path string) (*os.File, error) { return open(path, os.Stat, os.OpenFile) }

// OpenIn is [Open] for a path below a root; links may not leave it.
func OpenIn(root *os.Root, path string) (*os.File, error) {
	return open(path, root.Stat, root.OpenFile)
}

func open(path string, stat func(string) (fs.FileInfo, error), openFile func(string, int, fs.FileMode) (*os.File, error)) (*os.File, error) {
	if err := notByName(path); err != nil {
		return nil, err
	}
	info, err := stat(path) // opening some devices does something
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, err
	}
	file, err := openFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	// It may be another one by now.
	if info, err = file.Stat(); err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// OpenStream is [Open] for what is read once from its beginning to its end, which
// may be a pipe as well. A pipe that nobody has opened for writing is empty.
func OpenStream(path string) (*os.File, error) {
	if err := notByName(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeNamedPipe == 0 {
		return Open(path)
	}
	return os.OpenFile(path, os.O_RDONLY|nonblock, 0)
}

// Interruptible returns a reader that ends with the context, for input that may not
// come, such as a terminal's. The call that was waiting then ends with the input.
func Interruptible(ctx context.Context, in io.Reader) io.Reader {
	return &interruptible{ctx: ctx, in: in}
}

type interruptible struct {
	ctx    context.Context
	in     io.Reader
	buffer [64 << 10]byte
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := r.in.Read(r.buffer[:min(len(p), len(r.buffer))])
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return copy(p, r.buffer[:got.n]), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
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
		return nil, &fs.PathError{Op: "read", Path: file.Name(), Err: fmt.Errorf("%w: more than %s", ErrTooLarge, format.Size(limit))}
	}
	return data, nil
}

// notByName returns an error for a name that Windows keeps for a device, in whatever folder.
func notByName(path string) error {
	if devicesByName && isDevice(filepath.Base(path)) {
		return notRegular(path, "a device")
	}
	return nil
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
	return notRegular(path, what)
}

func notRegular(path, what string) error {
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("it is %s, %w", what, ErrNotRegular)}
}
