//go:build !windows

package durable

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// createNew makes an empty file in root, whose mode is its protection.
func createNew(root *os.Root, base string, mode fs.FileMode) (*os.File, error) {
	return root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func createFolder(root *os.Root, base string, mode fs.FileMode) error { return root.Mkdir(base, mode) }

func createFolderAt(path string, mode fs.FileMode) error { return os.Mkdir(path, mode) }

func openOrCreate(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}

func isPrivate(file *os.File) (bool, error) {
	info, err := file.Stat()
	return err == nil && isOwners(info.Mode()), err
}

// ownedSafely reports whether a file belongs to this user or to the system's
// administrator.
func ownedSafely(_ string, info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid()
}

// readers tells which others can read a file, by its mode.
func readers(path string, info fs.FileInfo) others {
	if info.Mode().Perm()&0o044 == 0 {
		return others{}
	}
	return others{who: byMode(info), remedy: "chmod 600 " + path}
}

// writers tells which others can change a file or a folder's names or, of a folder
// above, replace what is in it. Where names are protected by the sticky bit, as in
// /tmp, nobody can replace what is somebody else's; but anybody can put something new
// there.
func writers(path string, info fs.FileInfo, above bool) others {
	if info.Mode().Perm()&0o022 == 0 || above && info.Mode()&fs.ModeSticky != 0 {
		return others{}
	}
	return others{who: byMode(info), remedy: "chmod go-w " + path, everyone: info.Mode().Perm()&0o002 != 0}
}

func byMode(info fs.FileInfo) string { return fmt.Sprintf("mode %04o", info.Mode().Perm()) }
