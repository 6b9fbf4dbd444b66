package testenv

import (
	"fmt"
	"os/exec"
	"testing"
)

// SmallDisk returns the folder of a new file system with room for that many bytes. Where this
// machine cannot mount one (that takes Linux and root), the test is skipped, and says so.
func SmallDisk(t testing.TB, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED on a full disk: %v %s", err, output)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, output)
		}
	})
	return dir
}
