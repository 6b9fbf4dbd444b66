//go:build !windows

package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cse-piv/cse-piv/internal/testenv"
)

// Server is a PostgreSQL server of a test.
type Server struct {
	dir       string
	programs  string
	process   *exec.Cmd
	ended     chan struct{}
	log       *os.File
	port      int // on loopback, for those who have a password
	databases int
}

// Who has to give a password on loopback: see LoopbackAddress.
const User, Password = "clerk", "correct horse"

// Start makes a cluster and runs it until the test ends. Where PostgreSQL is not
// installed it skips the test, and says so.
func Start(t testing.TB) *Server {
	t.Helper()
	programs := findPrograms()
	if programs == "" {
		testenv.Missing(t, "PostgreSQL is not installed")
	}
	// Not t.TempDir: a socket's path has room for 107 bytes only.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{dir: dir, programs: programs}
	if identity := unprivileged(t); identity != nil {
		if err := os.Chown(dir, int(identity.Uid), int(identity.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	initdb := s.command(t, "initdb", "--pgdata", filepath.Join(dir, "data"), "--username", "tester", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	access := "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(dir, "data", "pg_hba.conf"), []byte(access), 0o644); err != nil {
		t.Fatal(err)
	}
	s.port = testenv.Port(t)
	s.Run(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// LoopbackAddress is that of a database for a user with a password, over TCP.
func (s *Server) LoopbackAddress(user, password, database string) string {
	address := url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: fmt.Sprint("127.0.0.1:", s.port), Path: database}
	return address.String()
}

// findPrograms returns the folder of the newest version installed, "" for none.
func findPrograms() string {
	// Debian keeps initdb out of PATH.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// unprivileged is who runs the server for root, which PostgreSQL refuses; nil for
// everybody else.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if account, err := user.Lookup(name); err == nil {
			uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
			gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
			if uidErr == nil && gidErr == nil {
				return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			}
		}
	}
	t.Skip("NOT TESTED: there is no unprivileged user to run PostgreSQL")
	return nil
}

func (s *Server) command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(filepath.Join(s.programs, program), args...)
	command.Dir = s.dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	command.SysProcAttr = attributes(unprivileged(t))
	return command
}

// Run starts the server again where it was stopped.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	logFile, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s.log = logFile
	s.process = s.command(t, "postgres", "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=127.0.0.1", "-c", fmt.Sprint("port=", s.port), "-c", "max_connections=200")
	s.process.Stdout, s.process.Stderr = logFile, logFile
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		_ = s.process.Wait()
	}()
	for {
		connection, err := s.connect()
		if err == nil {
			_ = connection.Close(context.Background())
			return
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			t.Fatalf("PostgreSQL does not run: %v\n%s", err, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the server; its connections break.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	// SIGINT is PostgreSQL's fast shutdown.
	if err := s.process.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	<-s.ended
	_ = s.log.Close()
	s.process = nil
}

// NewDatabase makes an empty database and returns its address.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	connection, err := s.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background())
	s.databases++
	name := fmt.Sprintf("ledger%d", s.databases)
	if _, err := connection.Exec(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return s.address(name)
}

func (s *Server) address(database string) string {
	query := url.Values{"host": {s.dir}, "port": {fmt.Sprint(s.port)}, "user": {"tester"}}
	return "postgres:///" + database + "?" + query.Encode()
}

func (s *Server) connect() (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return pgx.Connect(ctx, s.address("postgres"))
}
