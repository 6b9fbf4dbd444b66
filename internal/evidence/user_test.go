package evidence

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestUserOf: the one whose enrollment with the card began last, whatever else lies there.
func TestUserOf(t *testing.T) {
	root := t.TempDir()
	is := func(want string) {
		t.Helper()
		if folder, email, err := NewestWith(root, 7); err != nil || email != want || (folder == nil) != (want == "") || folder != nil && folder.Serial() != 7 {
			t.Errorf("%v %q %v, want %q", folder, email, err, want)
		}
	}
	is("")
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, email := range []string{"Ada@lab.example", "bob@lab.example", "eve@lab.example"} {
		serial := uint32(7)
		if email == "eve@lab.example" {
			serial = 8
		}
		if _, err := Begin(root, email, serial, now.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if email == "Ada@lab.example" {
			is("ada@lab.example")
		}
	}
	for _, name := range []string{"notes", "x@y%41"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "file@x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	is("bob@lab.example")
	root = filepath.Join(root, "missing")
	is("")
}
