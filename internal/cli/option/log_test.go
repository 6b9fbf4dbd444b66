package option

import (
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"log/slog"
)

// TestJournal: each line arrives as a message of its priority.
func TestJournal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: no journal there")
	}
	socket := filepath.Join(t.TempDir(), "journal")
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	to, err := openJournal(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	log := slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for level, priority := range map[slog.Level]string{slog.LevelDebug: "7", slog.LevelInfo: "6", slog.LevelWarn: "4", slog.LevelError: "3"} {
		log.Log(t.Context(), level, "two\nlines")
		datagram := make([]byte, 4096)
		n, err := server.Read(datagram)
		if err != nil {
			t.Fatal(err)
		}
		got := string(datagram[:n])
		if !strings.HasPrefix(got, "SYSLOG_IDENTIFIER=cse-piv\nPRIORITY="+priority+"\nMESSAGE={") || !strings.Contains(got, `"msg":"two\nlines"`) || strings.Count(got, "\n") != 3 {
			t.Errorf("%v: %q", level, got)
		}
	}
	if _, err := openJournal(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no journal, and no error")
	}
}

// TestNoLog: where none is asked for, there is none.
func TestNoLog(t *testing.T) {
	log, end, err := (&Log{level: "debug"}).Open(io.Discard)
	if log != nil || err != nil || end() != nil {
		t.Errorf("%v, %v", log, err)
	}
}
