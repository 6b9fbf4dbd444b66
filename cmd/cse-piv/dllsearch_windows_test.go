package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestNoLibraryBesideTheProgram: a library beside the program, which Windows loads by its
// bare name before those of the system, is not loaded once the search is restricted, and
// the system's own still are.
func TestNoLibraryBesideTheProgram(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile(filepath.Join(os.Getenv("SystemRoot"), "System32", "version.dll"))
	if err != nil {
		t.Fatal(err)
	}
	plant := func(name string) {
		path := filepath.Join(filepath.Dir(program), name)
		if err := os.WriteFile(path, library, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
	plant("planted1.dll")
	plant("planted2.dll")
	if _, err := syscall.LoadLibrary("planted1.dll"); err != nil {
		t.Fatalf("nothing is planted there: %v", err)
	}
	if err := searchSystemLibraries(); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.LoadLibrary("planted2.dll"); err == nil {
		t.Error("a library beside the program was loaded")
	}
	if _, err := syscall.LoadLibrary("winscard.dll"); err != nil {
		t.Errorf("the system's own library: %v", err)
	}
}
