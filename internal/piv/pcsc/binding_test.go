//go:build cgo && linux

package pcsc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// The tests use the real PC/SC library, which takes the socket's path once.

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pcsc")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(dir, "pcscd.comm"))
	return m.Run()
}

// echo is a card that answers each command with its bytes.
type echo struct{ atr []byte }

func newEcho() *echo { return &echo{[]byte{0x3B, 0x80, 0x80, 0x01, 0x01}} }

func (e *echo) ATR() []byte { return e.atr }
func (e *echo) Reset()      {}
func (e *echo) Transmit(command []byte) []byte {
	return append(bytes.Clone(command), 0x90, 0x00)
}

func serve(t *testing.T, readers int) (*pcscd.Server, *pcsc.Context) {
	t.Helper()
	server, err := pcscd.Listen(os.Getenv("PCSCLITE_CSOCK_NAME"), readers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, establish(t)
}

func establish(t *testing.T) *pcsc.Context {
	t.Helper()
	service, err := pcsc.Establish()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { service.Release() })
	return service
}

func insert(t *testing.T, server *pcscd.Server, reader int, card pcscd.Card) {
	t.Helper()
	if err := server.Insert(reader, card); err != nil {
		t.Fatal(err)
	}
}

func TestReadersAndTheirStates(t *testing.T) {
	server, service := serve(t, 2)
	card := newEcho()
	insert(t, server, 1, card)
	names, err := service.Readers()
	if err != nil || len(names) != 2 || names[0] != server.Names()[0] || names[1] != server.Names()[1] {
		t.Fatalf("%q, %v", names, err)
	}
	states := []pcsc.ReaderState{{Reader: names[0]}, {Reader: names[1]}}
	if err := service.StatusChange(states, 0); err != nil {
		t.Fatal(err)
	}
	if states[0].Present() || !states[1].Present() || !bytes.Equal(states[1].ATR, card.atr) {
		t.Errorf("%+v", states)
	}
	before := states[1].Events
	if _, err := server.Remove(1); err != nil {
		t.Fatal(err)
	}
	insert(t, server, 1, card)
	if err := service.StatusChange(states, time.Minute); err != nil || states[1].Events == before || !states[1].Present() {
		t.Errorf("out and in again: %+v, %v", states[1], err)
	}
	if err := service.StatusChange(states, 10*time.Millisecond); !errors.Is(err, pcsc.Timeout) {
		t.Errorf("nothing happens: %v", err)
	}
	unknown := []pcsc.ReaderState{{Reader: "no such reader"}}
	if err := service.StatusChange(unknown, 0); !errors.Is(err, pcsc.UnknownReader) && unknown[0].State&pcsc.StateUnknown == 0 {
		t.Errorf("no such reader: %+v, %v", unknown[0], err)
	}
	if err := service.StatusChange(nil, time.Minute); err != nil {
		t.Errorf("no reader: %v", err)
	}
}

func TestNoReaderIsNoError(t *testing.T) {
	_, service := serve(t, 0)
	if names, err := service.Readers(); err != nil || len(names) != 0 {
		t.Errorf("%q, %v", names, err)
	}
}

func TestWatch(t *testing.T) {
	server, service := serve(t, 1)
	states := []pcsc.ReaderState{{Reader: server.Names()[0]}}
	if err := service.StatusChange(states, 0); err != nil {
		t.Fatal(err)
	}
	if err := service.Watch(t.Context(), states, 10*time.Millisecond); err != nil {
		t.Errorf("nothing happens: %v", err)
	}
	if err := service.Watch(t.Context(), nil, time.Millisecond); err != nil {
		t.Errorf("no reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Watch(ctx, states, time.Hour) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	go func() { ended <- service.Watch(t.Context(), states, time.Hour) }()
	insert(t, server, 0, newEcho())
	if err := <-ended; err != nil || !states[0].Present() {
		t.Errorf("inserted: %+v, %v", states[0], err)
	}
	if err := service.Watch(ctx, states, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestTransmit(t *testing.T) {
	server, service := serve(t, 1)
	insert(t, server, 0, newEcho())
	card, err := service.Connect(server.Names()[0], pcsc.Exclusive)
	if err != nil {
		t.Fatal(err)
	}
	defer card.Disconnect(pcsc.LeaveCard)
	command := []byte{0x00, 0xCA, 0x01, 0x02, 0x00}
	if got, err := card.Transmit(command); err != nil || !bytes.Equal(got, append(command, 0x90, 0x00)) {
		t.Errorf("short: %X, %v", got, err)
	}
	extended := append([]byte{0x00, 0xDB, 0x3F, 0xFF, 0x00, 0x0B, 0xB8}, make([]byte, 3000)...)
	if got, err := card.Transmit(extended); err != nil || len(got) != len(extended)+2 {
		t.Errorf("extended: %d bytes, %v", len(got), err)
	}
	if _, err := card.Transmit([]byte{0x00}); !errors.Is(err, pcsc.InvalidParameter) {
		t.Errorf("not a command: %v", err)
	}
	if _, err := server.Remove(0); err != nil {
		t.Fatal(err)
	}
	if _, err := card.Transmit(command); !errors.Is(err, pcsc.RemovedCard) && !errors.Is(err, pcsc.NoSmartCard) {
		t.Errorf("removed: %v", err)
	}
	if _, err := service.Connect(server.Names()[0], pcsc.Shared); !errors.Is(err, pcsc.NoSmartCard) {
		t.Errorf("connecting to an empty reader: %v", err)
	}
}

func TestSharing(t *testing.T) {
	server, service := serve(t, 1)
	insert(t, server, 0, newEcho())
	reader, other := server.Names()[0], establish(t)
	first, err := service.Connect(reader, pcsc.Shared)
	if err != nil {
		t.Fatal(err)
	}
	second, err := other.Connect(reader, pcsc.Shared)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Begin(); err != nil {
		t.Fatal(err)
	}
	var ended atomic.Bool
	sent := make(chan error, 1)
	go func() {
		_, err := second.Transmit([]byte{0, 1, 2, 3})
		if !ended.Load() {
			err = errors.Join(err, errors.New("it did not wait for the transaction to end"))
		}
		sent <- err
	}()
	if _, err := first.Transmit([]byte{0, 1, 2, 3}); err != nil {
		t.Errorf("in the own transaction: %v", err)
	}
	ended.Store(true)
	if err := first.End(pcsc.LeaveCard); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Errorf("from the other connection: %v", err)
	}
	if err := errors.Join(first.Disconnect(pcsc.LeaveCard), second.Disconnect(pcsc.LeaveCard)); err != nil {
		t.Fatal(err)
	}
	alone, err := service.Connect(reader, pcsc.Exclusive)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Connect(reader, pcsc.Shared); !errors.Is(err, pcsc.SharingViolation) {
		t.Errorf("held: %v", err)
	}
	if err := alone.Disconnect(pcsc.ResetIt); err != nil {
		t.Fatal(err)
	}
}

func TestDisconnectCanReset(t *testing.T) {
	server, service := serve(t, 1)
	insert(t, server, 0, newEcho())
	for _, test := range []struct {
		disposition pcsc.Disposition
		reset       bool
	}{{pcsc.LeaveCard, false}, {pcsc.ResetIt, true}} {
		first, err := service.Connect(server.Names()[0], pcsc.Shared)
		if err != nil {
			t.Fatal(err)
		}
		second, err := service.Connect(server.Names()[0], pcsc.Shared)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Disconnect(test.disposition); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Transmit([]byte{0, 1, 2, 3}); errors.Is(err, pcsc.ResetCard) != test.reset {
			t.Errorf("disposition %d: the other connection sees %v", test.disposition, err)
		}
		second.Disconnect(pcsc.LeaveCard)
	}
}

func TestNoService(t *testing.T) {
	server, _ := serve(t, 1)
	server.Close()
	if _, err := pcsc.Establish(); !errors.Is(err, pcsc.NoService) {
		t.Errorf("got %v", err)
	}
}
