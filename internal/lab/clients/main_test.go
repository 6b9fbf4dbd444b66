package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// socket is where this process's own libpcsclite looks for its resource
// manager: the library reads the name once.
var socket string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cse-piv-clients-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	socket = filepath.Join(dir, "pcscd.comm")
	if err := os.Setenv("PCSCLITE_CSOCK_NAME", socket); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
