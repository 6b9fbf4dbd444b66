package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// special names what is no regular file.
func special(_ *testing.T, dir string) []string {
	return []string{"con", "NUL", dir + `\com1.csv`, "LPT9.txt", dir}
}

// TestPrivateFilesAreTheOwnersAlone reads the access control lists of what was made: the
// user, the system and the administrators are in them, and nobody else, while everybody can
// read what is made beside without one.
func TestPrivateFilesAreTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	folder, file := filepath.Join(dir, "private"), filepath.Join(dir, "file")
	for what, err := range map[string]error{
		"MakeFolder":    durable.MakeFolder(folder, 0o700),
		"Folder.Mkdir":  durable.Folder(folder).Mkdir("below", 0o700),
		"WriteFile":     durable.WriteFile(file, []byte("data"), 0o600),
		"CreateFile":    durable.Folder(folder).CreateFile("created", []byte("data"), 0o600),
		"MakeFile":      durable.MakeFile(filepath.Join(dir, "made")),
		"the same file": durable.WriteFile(file, []byte("other data"), 0o600),
		"for everybody": durable.WriteFile(filepath.Join(dir, "open"), []byte("data"), 0o644),
	} {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if data, err := os.ReadFile(file); err != nil || !slices.Contains([]string{"data", "other data"}, string(data)) {
		t.Errorf("%q, %v", data, err)
	}
	temporary, err := durable.MakeTemporary("cse-piv-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(temporary)
	allowed := []string{"S-1-5-18", "S-1-5-32-544", user(t)}
	for _, path := range []string{folder, folder + `\below`, folder + `\created`, file, dir + `\made`, temporary} {
		if who := listed(t, path); len(who) == 0 || slices.ContainsFunc(who, func(sid string) bool { return !slices.Contains(allowed, sid) }) {
			t.Errorf("%s can be opened by %q", path, who)
		}
	}
	t.Logf("what is not private can be opened by %q", listed(t, dir+`\open`))
}

// TestWarnings: whoever else is in a list is named, with the command that takes the entry away.
func TestWarnings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	if err := durable.MakeFolder(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, everyone string // the rights of everyone on it
		read, write    bool
	}{
		{"mine", "", false, false},
		{"read", "FR", true, false},
		{"change", "FA", true, true},
	} {
		file := filepath.Join(dir, test.name)
		makeListed(t, file, test.everyone)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		read := durable.ReadWarning(file, info)
		write, everyone := durable.WriteWarning(file)
		if (read != "") != test.read || (write != "") != test.write || everyone != test.write {
			t.Errorf("%s: %q, %q, %v", test.name, read, write, everyone)
		}
		for _, warning := range []string{read, write} {
			if warning != "" && (!strings.Contains(warning, "Everyone") || !strings.Contains(warning, `: icacls "`+file+`" /inheritance:r /grant:r "`) || !strings.HasSuffix(warning, " /remove:g *S-1-1-0")) {
				t.Errorf("%s: %s", test.name, warning)
			}
		}
	}
}

// TestFileThatAnotherProgramHasOpen: it is not replaced while it cannot be, and the error says why.
func TestFileThatAnotherProgramHasOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.csv")
	if err := durable.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	spreadsheet, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(path, []byte("new"), 0o600); !errors.Is(err, durable.ErrInUse) {
		t.Errorf("while it is open: %v", err)
	}
	if err := windows.CloseHandle(spreadsheet); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("%q, %v", data, err)
	}
	if err := durable.WriteFile(path, []byte("new"), 0o600); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// makeListed makes a file with a list that has this user and, with rights, everyone.
func makeListed(t *testing.T, path, rights string) {
	t.Helper()
	list := "D:P(A;;FA;;;" + user(t) + ")"
	if rights != "" {
		list += "(A;;" + rights + ";;;WD)"
	}
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: descriptor}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	handle, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, attributes, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err == nil {
		err = windows.CloseHandle(handle)
	}
	if err == nil && rights != "" { // once more: Wine takes away from a new file what the umask does
		var entries *windows.ACL
		if entries, _, err = descriptor.DACL(); err == nil {
			err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, entries, nil)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func user(t *testing.T) string {
	t.Helper()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	return user.User.Sid.String()
}

// listed are those whom a file's list allows something.
func listed(t *testing.T, path string) (who []string) {
	t.Helper()
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil {
		t.Fatalf("%s: %v, %v", path, descriptor, err)
	}
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &entry); err != nil {
			t.Fatal(err)
		}
		who = append(who, (*windows.SID)(unsafe.Pointer(&entry.SidStart)).String())
	}
	return who
}
