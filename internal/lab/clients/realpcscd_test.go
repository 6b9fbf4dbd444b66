//go:build linux

package clients

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/vpcd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

const (
	// realSocket is where Debian's pcscd listens, whatever one tells it.
	realSocket = "/run/pcscd/pcscd.comm"
	vpcdDriver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
)

// TestDebianToolsBehindRealPCSCD runs the same session with nothing of ours
// between card and tools but the card's end of vpcd's connection.
func TestDebianToolsBehindRealPCSCD(t *testing.T) {
	need(t, "pcscd", "ykman", "yubico-piv-tool", "opensc-tool", "pkcs15-tool", "pkcs11-tool", "openssl")
	if _, err := os.Stat(vpcdDriver); err != nil {
		testenv.Missing(t, "vsmartcard-vpcd is not installed")
	}
	t.Parallel()
	lockRealSocket(t)
	address := startPCSCD(t)

	authority, err := yubikey.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	card, err := yubikey.New(yubikey.Config{Firmware: yubikey.Version{Major: 5, Minor: 4, Patch: 3}, Authority: authority})
	if err != nil {
		t.Fatal(err)
	}
	insertIntoVPCD(t, address, card)
	// Not the lab's socket, should somebody have one in the environment.
	s := &station{
		t: t, dir: t.TempDir(), card: card, authority: authority, brief: true,
		env: []string{"PCSCLITE_CSOCK_NAME=" + realSocket},
	}
	waitUntil(t, "the card is in the reader", func() bool {
		out, err := s.command("opensc-tool", "-a")
		return err == nil && bytes.Contains([]byte(out), []byte("3b:fd:13"))
	})
	s.sub("power", realPower)
	session(s)
}

// lockRealSocket makes sure that the socket is free and stays ours.
func lockRealSocket(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: pcscd needs root")
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "cse-piv-real-pcscd.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Close() })
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("unix", realSocket); err == nil {
		conn.Close()
		t.Skip("NOT TESTED: another pcscd is running")
	}
	if err := os.MkdirAll(filepath.Dir(realSocket), 0o755); err != nil {
		t.Fatal(err)
	}
}

// startPCSCD runs a pcscd with one vpcd reader and returns where its driver
// listens for the card.
func startPCSCD(t *testing.T) string {
	t.Helper()
	port := testenv.Port(t)
	config := t.TempDir()
	reader := fmt.Sprintf("FRIENDLYNAME \"Yubico YubiKey OTP+FIDO+CCID\"\nDEVICENAME /dev/null:0x%04X\nLIBPATH %s\nCHANNELID 0x%04X\n",
		port, vpcdDriver, port)
	if err := os.WriteFile(filepath.Join(config, "vpcd"), []byte(reader), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("pcscd", "-f", "-c", config)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("stop pcscd: %v", err)
		}
		// However it ends: it was told to.
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pcscd: %s", log.String())
		}
	})
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// insertIntoVPCD keeps the card at the driver until the test ends.
func insertIntoVPCD(t *testing.T, address string, card vpcd.Card) {
	t.Helper()
	waitUntil(t, "vpcd listens", func() bool {
		_, err := os.Stat(realSocket)
		return err == nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			// The driver may not listen yet; the wait for the card tells.
			_ = vpcd.Run(ctx, address, card)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}
