// Package catest runs CA servers of others, for tests.
package catest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Binary returns the path of a CA server of others, built when it is wanted for the
// first time. A machine that cannot build it does not test with it.
func Binary(t testing.TB, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skipf("NOT TESTED: %s is built by a shell script", name)
	}
	var problem bytes.Buffer
	_, file, _, _ := runtime.Caller(0)
	command := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(file), "../../../scripts/ca-servers"))
	command.Stderr = &problem
	out, err := command.Output()
	if err != nil {
		t.Skipf("NOT TESTED with the real %s, which cannot be built here: %v\n%s", name, err, problem.String())
	}
	return filepath.Join(strings.TrimSpace(string(out)), name)
}

// Start runs a server until the test ends, and returns when it answers at url.
func Start(t testing.TB, url string, command *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(command.Path), output.String())
		}
	})
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			return
		} else if errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", command.Path, err, output.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
