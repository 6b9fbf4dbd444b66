//go:build !windows

package durable

import (
	"errors"
	"os"
)

// syncFolder flushes the folder's entries, without which a new name can be lost
// with the power.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
