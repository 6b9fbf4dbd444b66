//go:build !windows

package ledger_test

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"testing"
)

// unprivileged has a command run by somebody whom permissions stop: root is not.
func unprivileged(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("NOT TESTED: there is no unprivileged user on this machine")
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		t.Fatal(uidErr, gidErr)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	// The test binary may lie where only root may enter.
	binary, err := os.CreateTemp("", "ledger.test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(binary.Name()) })
	data, err := os.ReadFile(command.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := binary.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := binary.Chmod(0o755); err != nil {
		t.Fatal(err)
	}
	if err := binary.Close(); err != nil {
		t.Fatal(err)
	}
	command.Path = binary.Name()
	command.Dir = os.TempDir()
}
