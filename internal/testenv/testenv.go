// Package testenv has what tests need of the machine that they run on: programs of others,
// ports that are free, and small disks.
package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program returns the path of the first of the programs that is installed; a name can be a path,
// for what is not in PATH. Where none is, it is Missing.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "%s is not installed", names[0])
	return ""
}

// Missing ends a test that needs something that "make test" installs: it is skipped, and fails in
// CI (CI=true), where everything has to be tested. What cannot be had on every machine is skipped
// there, too, by t.Skip with a text that begins with NOT TESTED.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	why := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatalf("NOT TESTED: %s; make install-test installs what is missing", why)
	}
	t.Skip("NOT TESTED: " + why)
}

// Address returns an address on loopback at which nobody listens, for a server that is told where
// to listen.
func Address(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", Port(t))
}

// Port returns a TCP port that nobody has. It is below those that Linux gives to whoever names no
// port, so that nobody is given it before it is used.
func Port(t testing.TB) int {
	t.Helper()
	const lowest, count = 20000, 10000
	var problems []string
	for range 100 {
		port := lowest + rand.IntN(count)
		listener, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatalf("no port is free:\n%s", strings.Join(problems, "\n"))
	return 0
}
