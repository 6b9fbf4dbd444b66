package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// maxCertificate bounds the files and values that hold one user's certificate,
// in octets; a chain has a few kB.
const maxCertificate = 256 << 10

// files reads certificate files of one folder.
type files struct {
	dir     string
	root    *os.Root
	outside bool // paths and links may leave dir
}

// openFiles opens a folder; close it after use.
func openFiles(dir string, outside bool) (*files, error) {
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	return &files{dir: dir, root: root, outside: outside}, nil
}

func (f *files) Close() error { return f.root.Close() }

// read returns a regular file's content. Pipes and devices are refused: reading
// one may never end.
func (f *files) read(path string) ([]byte, error) {
	path = filepath.FromSlash(path)
	if strings.ContainsRune(path, 0) {
		return nil, rowError(ReasonFile, "", "the path %q holds a zero octet", path)
	}
	var file *os.File
	var err error
	switch {
	case f.outside && !filepath.IsAbs(path):
		path = filepath.Join(f.dir, path)
		file, err = durable.Open(path)
	case f.outside:
		file, err = durable.Open(path)
	case !filepath.IsLocal(path):
		return nil, f.leaves(path)
	default:
		file, err = durable.OpenIn(f.root, path)
	}
	var data []byte
	if err == nil {
		defer file.Close()
		data, err = durable.ReadAll(file, maxCertificate)
	}
	if err == nil {
		return data, nil
	}
	if link, target := f.dangling(path); link != "" {
		return nil, rowError(ReasonFile, "correct the link, or put the file itself there", "%s is a symbolic link to %s, where nothing is", link, target)
	}
	switch {
	case errors.Is(err, durable.ErrNotRegular):
		return nil, rowError(ReasonFile, "", "%s is not a file", path)
	case errors.Is(err, durable.ErrTooLarge):
		return nil, rowError(ReasonTooLarge, "", "%s is larger than %d kB", path, maxCertificate>>10)
	case errors.Is(err, fs.ErrNotExist):
		return nil, rowError(ReasonFile, "check the path; it is relative to "+f.dir, "there is no file %s", path)
	// os.Root has no exported error for this.
	case strings.Contains(err.Error(), "escapes from parent"):
		return nil, f.leaves(path)
	}
	if cause := (*fs.PathError)(nil); errors.As(err, &cause) {
		err = cause.Err
	}
	return nil, rowError(ReasonFile, "", "read the certificate %s: %w", path, err)
}

// dangling returns the first part of a path that is a symbolic link to nothing, inside the folder or
// outside, and where it leads; "" for none.
func (f *files) dangling(path string) (link, target string) {
	base := f.dir
	if f.outside { // read joined it
		base = ""
	}
	for at := 0; at < len(path); {
		end := strings.IndexRune(path[at+1:], filepath.Separator)
		if at += 1 + end; end < 0 {
			at = len(path)
		}
		part := filepath.Join(base, path[:at])
		if target, err := os.Readlink(part); err == nil {
			if _, err := os.Stat(part); errors.Is(err, fs.ErrNotExist) {
				return path[:at], target
			}
		}
	}
	return "", ""
}

func (f *files) leaves(path string) error {
	return rowError(ReasonOutside, "",
		"%s is outside the folder %s", path, f.dir)
}
