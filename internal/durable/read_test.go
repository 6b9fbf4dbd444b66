package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/durable"
)

func TestReadFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int64]error{4: durable.ErrTooLarge, 5: nil, 6: nil} {
		data, err := durable.ReadFile(path, limit)
		if !errors.Is(err, want) || err == nil && string(data) != "12345" {
			t.Errorf("at most %d bytes: %q, %v", limit, data, err)
		}
	}
}

func TestReadFileTakesRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	for _, path := range append(special(t, dir), dir) {
		// Where this waited for a pipe's other end, the test would end by its timeout.
		if _, err := durable.ReadFile(path, 10); !errors.Is(err, durable.ErrNotRegular) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, name := range []string{"pipe", "folder"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			continue
		}
		if _, err := durable.Folder(dir).ReadFile(name, 10); !errors.Is(err, durable.ErrNotRegular) {
			t.Errorf("%s in the folder: %v", name, err)
		}
		if _, err := durable.Folder(dir).OpenAppend(name, 0o600); !errors.Is(err, durable.ErrNotRegular) {
			t.Errorf("%s appended to: %v", name, err)
		}
	}
}
