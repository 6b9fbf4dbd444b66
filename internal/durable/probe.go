package durable

import (
	"errors"
	"os"
)

// Probe writes size bytes into the folder and takes them away again, and reports
// whether a private file there is private: file systems such as FAT have no owners
// and modes, or access control lists on Windows.
func (f Folder) Probe(size int) (private bool, err error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return false, err
	}
	defer root.Close()
	temporary, file, err := f.temporary(root, "a file", 0o600)
	if err != nil {
		return false, err
	}
	_, err = file.Write(make([]byte, size))
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		private, err = isPrivate(file)
	}
	err = errors.Join(err, file.Close(), root.Remove(temporary))
	return private, f.failed("write into", ".", err)
}
