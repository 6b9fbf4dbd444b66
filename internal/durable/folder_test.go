package durable_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestNoLinkIsFollowed: neither of a folder nor of a file, whether what it leads to
// is there or not.
func TestNoLinkIsFollowed(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "theirs"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	folder := durable.Folder(root)
	if err := folder.Make("real", 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"outside": outside, "inside": "real",
		"real/there": filepath.Join(outside, "theirs"), "real/missing": filepath.Join(outside, "new"), "real/same": "inside-file",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skipf("NOT TESTED: this system makes no symbolic links: %v", err)
		}
	}
	if err := folder.WriteFile("real/inside-file", []byte("inside"), 0o600); err != nil {
		t.Fatal(err)
	}
	appended := func(name string) error {
		file, err := folder.OpenAppend(name, 0o600)
		if err == nil {
			err = file.Close()
		}
		return err
	}
	read := func(name string) error { _, err := folder.ReadFile(name, 100); return err }
	for _, name := range []string{"outside/theirs", "outside/new", "inside/inside-file", "real/there", "real/missing", "real/same"} {
		for what, do := range map[string]func(string) error{"append": appended, "read": read} {
			if err := do(name); !errors.Is(err, durable.ErrLink) {
				t.Errorf("%s %s: %v", what, name, err)
			}
		}
	}
	for _, name := range []string{"outside", "inside"} {
		if err := folder.Make(name+"/new", 0o700); !errors.Is(err, durable.ErrLink) {
			t.Errorf("a folder in %s: %v", name, err)
		}
		if err := folder.WriteFile(name+"/new", nil, 0o600); !errors.Is(err, durable.ErrLink) {
			t.Errorf("a file in %s: %v", name, err)
		}
		if _, err := folder.Entries(name); !errors.Is(err, durable.ErrLink) {
			t.Errorf("the entries of %s: %v", name, err)
		}
	}
	// A file is replaced by its name, whatever the name was.
	if err := folder.WriteFile("real/there", []byte("ours"), 0o600); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(outside)
	theirs, readErr := os.ReadFile(filepath.Join(outside, "theirs"))
	if err != nil || readErr != nil || len(entries) != 1 || string(theirs) != "theirs" {
		t.Errorf("outside: %v, %q, %v, %v", entries, theirs, err, readErr)
	}
}

// TestReadWhileItIsReplaced: a reader gets the one or the other, never an error.
func TestReadWhileItIsReplaced(t *testing.T) {
	folder := durable.Folder(t.TempDir())
	if err := folder.WriteFile("f", []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	defer writing.Wait()
	defer stop()
	writing.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if err := folder.WriteFile("f", []byte(strconv.Itoa(n)), 0o600); err != nil {
				t.Error(err)
			}
		}
	})
	reads := 2000
	if testing.Short() {
		reads = 200
	}
	for range reads {
		if data, err := folder.ReadFile("f", 100); err != nil || len(data) == 0 {
			t.Fatalf("%q, %v", data, err)
		}
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	root := t.TempDir()
	folder := durable.Folder(filepath.Join(root, "folder"))
	if err := folder.Make("a/b", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/../../x", "/x", "a//x", "a/", "./x"} {
		if err := folder.WriteFile(name, []byte("x"), 0o600); err == nil {
			t.Errorf("%q was written", name)
		}
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
}

// TestSweepTakesWhatWasKilled: a process that is killed in the middle of writing a
// file leaves a temporary one; what is being written at that moment stays.
func TestSweepTakesWhatWasKilled(t *testing.T) {
	if path := os.Getenv("DURABLE_TEST_WRITE"); path != "" {
		_ = durable.Write(path, 0o600, func(out io.Writer) error {
			if _, err := io.WriteString(out, "half"); err != nil {
				return err
			}
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			return errors.Join(self.Kill(), fmt.Errorf("still here after the kill: %v", <-make(chan int)))
		})
		return
	}
	dir := t.TempDir()
	folder := durable.Folder(dir)
	kill := exec.Command(os.Args[0], "-test.run=^TestSweepTakesWhatWasKilled$")
	kill.Env = append(os.Environ(), "DURABLE_TEST_WRITE="+filepath.Join(dir, "killed"))
	if output, err := kill.CombinedOutput(); err == nil {
		t.Fatalf("it was not killed: %s", output)
	}
	for name, contents := range map[string]string{"empty": "", "empty-but-wanted": "", "full": "full", ".hidden.tmp": "", ".7-2026.json.123.tmp": "of an earlier version"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if left := names(t, dir); len(left) != 6 {
		t.Fatalf("the killed process left %q", left)
	}
	sweep := func() error {
		return folder.Sweep(".", func(name string) bool { return name == "empty" || name == "full" })
	}
	err := folder.Write("written", 0o600, func(out io.Writer) error {
		if err := sweep(); err != nil {
			return err
		}
		_, err := io.WriteString(out, "whole")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(names(t, dir)), "[.hidden.tmp empty-but-wanted full written]"; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

// TestFullDisk: what does not fit leaves nothing behind, and the old file is whole.
func TestFullDisk(t *testing.T) {
	dir := testenv.SmallDisk(t, 64<<10)
	folder := durable.Folder(dir)
	if err := folder.WriteFile("old", []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("x"), 100<<10)
	for what, err := range map[string]error{
		"replace": folder.WriteFile("old", large, 0o600), "create": folder.CreateFile("new", large, 0o600),
		"keep": durable.KeepFile(filepath.Join(dir, "kept"), large, 0o600),
	} {
		if err == nil {
			t.Errorf("%s: 100 kB fit into 64 kB", what)
		}
	}
	if old, err := folder.ReadFile("old", 10); err != nil || string(old) != "old" {
		t.Errorf("%q, %v", old, err)
	}
	for _, name := range names(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 3 {
			t.Errorf("left: %s with %v, %v", name, info, err)
		}
	}
}

func TestMakeFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.MakeFolder(file, 0o700); err == nil {
		t.Error("a file was taken for a folder")
	}
	if err := durable.MakeFolder(filepath.Join(file, "below"), 0o700); err == nil {
		t.Error("a folder was made in a file")
	}
	path := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := durable.MakeFolder(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
	if err := durable.Folder(path).Mkdir(".", 0o700); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
}
