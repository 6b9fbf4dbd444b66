package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

func init() { roles["limited"] = writeLimited }

// writeLimited works with a ledger whose file cannot grow, though the disk has room:
// the kernel fails its writes.
func writeLimited(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	l, err := ledger.Open(context.Background(), path, ledger.Options{})
	if err != nil {
		return err
	}
	defer l.Close()
	run, err := l.Begin(context.Background(), ledger.Run{})
	for n := 0; err == nil && n < 100_000; n += 500 {
		var entries []ledger.Entry
		for i := range 500 {
			entries = append(entries, asked(fmt.Sprint("user", n+i, "@x"), n+i, "a"))
		}
		_, err = l.Put(context.Background(), run, entries, false)
	}
	return err
}

// TestFailingDisk: it is not said to be full.
func TestFailingDisk(t *testing.T) {
	out, err := child("limited", ledgerPath(t)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "problem: "+string(ledger.ProblemDisk)) {
		t.Errorf("%s %v", out, err)
	}
	for code, want := range map[error]ledger.Problem{syscall.EIO: ledger.ProblemDisk, syscall.ENOSPC: ledger.ProblemFull} {
		failed := &ledger.Error{Err: errors.Join(code)}
		if failed.Problem() != want {
			t.Errorf("%v: %s", code, failed.Problem())
		}
	}
}
