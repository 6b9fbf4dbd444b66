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
)

func TestWriteReplacesAndCreateDoesNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	steps := []struct {
		write func(string, []byte, fs.FileMode) error
		data  string
		err   error
		want  string
	}{
		{durable.CreateFile, "one", nil, "one"},
		{durable.CreateFile, "two", fs.ErrExist, "one"},
		{durable.WriteFile, "three", nil, "three"},
	}
	for _, step := range steps {
		if err := step.write(path, []byte(step.data), 0o600); !errors.Is(err, step.err) {
			t.Fatalf("writing %q: %v, want %v", step.data, err, step.err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != step.want {
			t.Fatalf("after %q: %q, %v; want %q", step.data, got, err, step.want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
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
