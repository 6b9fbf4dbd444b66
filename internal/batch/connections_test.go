package batch_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// exchange passes connections on to an address and counts them.
type exchange struct {
	listener net.Listener
	to       string
	opened   atomic.Int64
	under    sync.WaitGroup
}

func newExchange(t testing.TB, to string) *exchange {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &exchange{listener: listener, to: to}
	e.under.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			e.opened.Add(1)
			e.under.Go(func() { e.connect(in) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		e.under.Wait()
	})
	return e
}

func (e *exchange) connect(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", e.to)
	if err != nil {
		return
	}
	defer out.Close()
	e.under.Go(func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	})
	_, _ = io.Copy(in, out)
}

// TestConnectionsAreReused counts what a run of many users opens.
func TestConnectionsAreReused(t *testing.T) {
	const inFlight = 64
	o := newOffice(t, "latency:20ms")
	users := 1000
	if raceEnabled {
		users = 300
	}
	people := o.people(t, users)
	target, err := url.Parse(o.lab.Env()["CSE_PIV_GMAIL_ENDPOINT"])
	if err != nil {
		t.Fatal(err)
	}
	line := newExchange(t, target.Host)
	credentials, err := os.ReadFile(o.lab.Env()["CSE_PIV_CREDENTIALS"])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "account.json")
	through := bytes.ReplaceAll(credentials, []byte(target.Host), []byte(line.listener.Addr().String()))
	if err := os.WriteFile(path, through, 0o600); err != nil {
		t.Fatal(err)
	}
	options := o.options(t, openLedger(t, ledgerFile(t)), people)
	options.Limiter = batch.NewLimiter(inFlight, 0)
	options.Domain = o.gmail(t, func(c *gmail.Config) {
		c.MaxConnections = batch.Connections(inFlight)
		c.CredentialsFile, c.Endpoint = path, "http://"+line.listener.Addr().String()+"/"
	})
	if counts := mustRun(t, options); counts.Done != users {
		t.Errorf("%+v", counts)
	}
	opened := line.opened.Load()
	t.Logf("%d connections for %d users, %d in flight", opened, len(people), inFlight)
	if opened == 0 || opened > inFlight+8 {
		t.Errorf("%d connections were opened", opened)
	}
}
