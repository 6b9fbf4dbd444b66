package escrow

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestKilledWhileKeeping: a process that is killed leaves whole records, and besides
// at most an empty one, which the next run takes away.
func TestKilledWhileKeeping(t *testing.T) {
	if dir := os.Getenv("ESCROW_TEST_KEEP"); dir != "" {
		s, err := NewPlainFile(dir)
		for serial := uint32(1); err == nil; serial++ {
			_, err = s.Put(context.Background(), record(serial, time.Now()))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	for round := range 10 {
		dir := t.TempDir()
		child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileKeeping$")
		child.Env = append(os.Environ(), "ESCROW_TEST_KEEP="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for want := 1 + round*3; ; {
			records, err := filepath.Glob(filepath.Join(dir, "*"+plainExtension))
			if err != nil {
				t.Fatal(err)
			}
			if len(records) >= want {
				break
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); child.ProcessState.ExitCode() == 3 {
			t.Fatal(err)
		}
		checkLeftovers(t, dir, true)
		if _, err := NewPlainFile(dir); err != nil {
			t.Fatal(err)
		}
		checkLeftovers(t, dir, false)
	}
}

// TestFullDisk: a record that does not fit leaves nothing.
func TestFullDisk(t *testing.T) {
	dir := testenv.SmallDisk(t, 32<<10)
	s, err := NewPlainFile(dir)
	kept := 0
	for serial := uint32(1); err == nil; serial++ {
		if _, err = s.Put(t.Context(), record(serial, time.Now())); err == nil {
			kept++
		}
	}
	entries, readErr := os.ReadDir(dir)
	if readErr != nil || kept == 0 || len(entries) != kept {
		t.Errorf("%d records were kept until %v, and %d files are there, %v", kept, err, len(entries), readErr)
	}
	checkLeftovers(t, dir, false)
}

// checkLeftovers makes sure that every file is a whole record, or empty.
func checkLeftovers(t *testing.T, dir string, empty bool) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() == 0 && empty {
			continue
		}
		if _, err := Open(path); err != nil || !isRecord(entry.Name()) {
			t.Errorf("%s was left, with %d bytes: %v", entry.Name(), info.Size(), err)
		}
	}
}
