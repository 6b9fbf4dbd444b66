package durable_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/durable/fattest"
)

func TestWriteReplacesAndCreateDoesNot(t *testing.T) {
	for name, folder := range map[string]func(testing.TB) string{"here": tempDir, "FAT": fattest.Mount} {
		t.Run(name, func(t *testing.T) { testWrites(t, folder(t), name == "FAT") })
	}
}

func tempDir(t testing.TB) string { return t.TempDir() }

func testWrites(t *testing.T, folder string, fat bool) {
	create := func(path string, data []byte, mode fs.FileMode) error {
		return durable.Folder(filepath.Dir(path)).CreateFile(filepath.Base(path), data, mode)
	}
	path := filepath.Join(folder, "f")
	steps := []struct {
		write func(string, []byte, fs.FileMode) error
		data  string
		err   error
		want  string
	}{
		{create, "one", nil, "one"},
		{create, "two", fs.ErrExist, "one"},
		{durable.WriteFile, "three", nil, "three"},
		{durable.KeepFile, "three", nil, "three"},
		{durable.KeepFile, "four", durable.ErrDifferent, "three"},
		{durable.KeepFile, "threes", durable.ErrDifferent, "three"},
		{durable.KeepFile, "", durable.ErrDifferent, "three"},
		{durable.WriteFile, "", nil, ""}, // as an interrupted KeepFile leaves it
		{durable.KeepFile, "five", nil, "five"},
	}
	for _, step := range steps {
		if err := step.write(path, []byte(step.data), 0o600); !errors.Is(err, step.err) {
			t.Fatalf("writing %q: %v, want %v", step.data, err, step.err)
		}
		got, err := durable.ReadFile(path, 100)
		if err != nil || string(got) != step.want {
			t.Fatalf("after %q: %q, %v; want %q", step.data, got, err, step.want)
		}
	}
	if err := durable.KeepFile(filepath.Join(folder, "new"), []byte("data"), 0o644); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	private, err := durable.Folder(folder).Probe(10)
	if err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case runtime.GOOS == "windows":
	case fat && private != (info.Mode().Perm()&0o077 == 0):
		t.Errorf("mode %v, but private %v", info.Mode(), private)
	case !fat && (info.Mode().Perm() != 0o600 || !private):
		t.Errorf("mode %v, private %v", info.Mode(), private)
	}
}

func TestWriteIntoAMissingFolderFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "f")
	if err := durable.WriteFile(path, nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestAWriteThatFailsLeavesTheFileAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := durable.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := durable.Write(path, 0o600, func(out io.Writer) error {
		_, _ = io.WriteString(out, "half")
		return broken
	})
	got, readErr := os.ReadFile(path)
	if !errors.Is(err, broken) || readErr != nil || string(got) != "before" {
		t.Errorf("%v; then %q, %v", err, got, readErr)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}
