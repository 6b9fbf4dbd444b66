package durable_test

import (
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/cse-piv/cse-piv/internal/durable"
)

func special(*testing.T, string) []string { return nil }

// TestPrivateFilesAreTheOwnersAlone reads the access control lists of what was made.
func TestPrivateFilesAreTheOwnersAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "private")
	if err := durable.MakeFolder(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if private, err := durable.Folder(folder).Probe(1); err != nil || !private {
		t.Skipf("NOT TESTED: this file system keeps no access control lists: %v", err)
	}
	file := filepath.Join(folder, "file")
	if err := durable.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, file} {
		descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := descriptor.DACL()
		if err != nil || list == nil || list.AceCount != 1 {
			t.Fatalf("%s: %v, %v", path, descriptor, err)
		}
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, 0, &entry); err != nil {
			t.Fatal(err)
		}
		if sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart)); !sid.Equals(user.User.Sid) {
			t.Errorf("%s can be opened by %v", path, sid)
		}
	}
}
