// Package fattest gives tests a folder on a FAT file system, such as sticks have:
// no hard links, no owners, no modes.
package fattest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Mount returns a new FAT file system's folder. Where this machine cannot mount
// one (that takes root, mkfs.vfat, and the kernel's vfat or fusefat), the test is
// skipped, and says so.
func Mount(t testing.TB) string {
	t.Helper()
	image, folder := filepath.Join(t.TempDir(), "image"), filepath.Join(t.TempDir(), "stick")
	const size = 4 << 20
	if err := os.WriteFile(image, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	var said []byte
	for _, command := range [][]string{{"mkfs.vfat", image}, {"mount", "-t", "vfat", "-o", "loop", image, folder}, {"fusefat", "-o", "rw+", image, folder}} {
		output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		switch said = append(said, output...); {
		case err != nil && command[0] == "mkfs.vfat", err != nil && command[0] == "fusefat":
			t.Skipf("NOT TESTED on FAT: %s: %v\n%s", command[0], err, said)
		case err == nil && command[0] != "mkfs.vfat":
			t.Cleanup(func() {
				if output, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
					t.Errorf("umount: %v\n%s", err, output)
				}
			})
			return folder
		}
	}
	return ""
}
