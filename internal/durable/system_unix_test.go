//go:build !windows

package durable_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// special makes things in dir that are no regular files, and names others.
func special(t *testing.T, dir string) []string {
	t.Helper()
	pipe, folder, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "folder"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	return []string{pipe, folder, link, "/dev/zero"}
}

func TestWarnings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	file := filepath.Join(dir, "file")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		folder, file os.FileMode
		write, read  string // a part of the warning, "" for none
	}{
		{0o700, 0o600, "", ""},
		{0o755, 0o644, "", "chmod 600 " + file},
		{0o755, 0o640, "", "chmod 600 " + file},
		{0o755, 0o602, "chmod go-w " + file, ""},
		{0o755, 0o660, "chmod go-w " + file, "mode 0660"},
		{0o777, 0o600, "chmod go-w " + dir, ""},
		{0o770, 0o600, "chmod go-w " + dir, ""},
		{0o777 | os.ModeSticky, 0o600, "", ""},
	} {
		if err := os.Chmod(dir, test.folder); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, test.file); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		write, everyone := durable.WriteWarning(file)
		read := durable.ReadWarning(file, info)
		if (write == "") != (test.write == "") || !strings.Contains(write, test.write) || (read == "") != (test.read == "") || !strings.Contains(read, test.read) {
			t.Errorf("%v, %v: %q, %q", test.folder, test.file, write, read)
		}
		if want := (test.folder|test.file)&0o002 != 0 && write != ""; everyone != want {
			t.Errorf("%v, %v: %v is everyone", test.folder, test.file, everyone)
		}
		// New names can be put into a folder that all can write, sticky or not.
		if got, _ := durable.WriteWarning(dir); (got == "") != (test.folder.Perm()&0o022 == 0) {
			t.Errorf("%v: %q", test.folder, got)
		}
	}
}
