package clients

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// startLab runs a lab with a card as Debian's tools know them.
func startLab(t *testing.T, options lab.Options) *lab.Lab {
	t.Helper()
	l, err := lab.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestDebianToolsInProcess(t *testing.T) {
	need(t, "ykman", "yubico-piv-tool", "opensc-tool", "pkcs15-tool", "pkcs11-tool", "openssl")
	t.Parallel()
	l := startLab(t, lab.Options{Firmware: "5.4.3"})
	session(&station{
		t: t, dir: t.TempDir(), card: l.Card(0), authority: l.Authority(),
		env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]},
	})
	if stats := l.Stats(); stats.APDUs == 0 || stats.InCard == 0 {
		t.Errorf("nothing was counted: %+v", stats)
	}
}

func TestReadersComeAndGoForDebianTools(t *testing.T) {
	need(t, "ykman")
	t.Parallel()
	l := startLab(t, lab.Options{Firmware: "5.4.3", Readers: 2, Serial: 1000, Tokens: true})
	s := &station{
		t: t, dir: t.TempDir(),
		env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]},
	}
	s.says(s.run("ykman", "list", "--serials"), "1000", "1001")
	s.says(s.run("ykman", "--device", "1001", "piv", "info"), "PIV version: 5.4.3")
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	if out := s.run("ykman", "list", "--serials"); out != "1001\n" {
		t.Errorf("with one card out: %q", out)
	}
	if err := l.Insert(0, nil); err != nil {
		t.Fatal(err)
	}
	s.says(s.run("ykman", "list", "--serials"), "1000", "1001")
}

func TestForeignCardForDebianTools(t *testing.T) {
	need(t, "opensc-tool", "yubico-piv-tool")
	t.Parallel()
	l := startLab(t, lab.Options{NoCard: true})
	s := &station{
		t: t, dir: t.TempDir(),
		env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]},
	}
	s.refused("opensc-tool", "-a")
	if err := l.InsertForeign(0); err != nil {
		t.Fatal(err)
	}
	s.says(s.run("opensc-tool", "-a"), "3b:80:80:01:01")
	s.refused("yubico-piv-tool", "-a", "status")
}

// selectAndVersion are SELECT of the PIV application and Yubico's GET VERSION,
// as opensc-tool wants them.
var selectAndVersion = []string{"-s", "00:A4:04:00:05:A0:00:00:03:08", "-s", "00:FD:00:00:00"}

// TestWaitingForACard has a program wait in SCardGetStatusChange.
func TestWaitingForACard(t *testing.T) {
	need(t, "opensc-tool")
	t.Parallel()
	l := startLab(t, lab.Options{Firmware: "5.4.3"})
	s := &station{
		t: t, dir: t.TempDir(),
		env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]},
	}
	if err := l.Pull(0); err != nil {
		t.Fatal(err)
	}
	type result struct {
		out string
		err error
	}
	done := make(chan result, 1)
	go func() {
		out, err := s.command("opensc-tool", append([]string{"--wait"}, selectAndVersion...)...)
		done <- result{out, err}
	}()
	// It waits for an insertion to come, and does not say when it began to.
	for {
		select {
		case r := <-done:
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, r.out)
			}
			s.says(r.out, "05 04 03")
			return
		case <-time.After(2 * time.Second):
		}
		if l.Inserted(0) {
			if err := l.Pull(0); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Insert(0, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProgramsAtOnce has programs queue for the card with transactions.
func TestProgramsAtOnce(t *testing.T) {
	need(t, "opensc-tool")
	t.Parallel()
	l := startLab(t, lab.Options{Firmware: "5.4.3"})
	s := &station{
		t: t, dir: t.TempDir(),
		env: []string{"PCSCLITE_CSOCK_NAME=" + l.Env()["PCSCLITE_CSOCK_NAME"]},
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			out, err := s.command("opensc-tool", selectAndVersion...)
			if err != nil || !strings.Contains(out, "05 04 03") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
}
