package vpcd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
)

type echo struct{ resets int }

func (*echo) ATR() []byte { return []byte{0x3b, 0x00} }
func (*echo) Transmit(command []byte) []byte {
	return append(bytes.Clone(command), 0x90, 0x00)
}
func (e *echo) Reset() { e.resets++ }

// driver runs a card against a listener and returns the driver's end.
func driver(t *testing.T, card Card) (conn net.Conn, pull context.CancelFunc, result <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { done <- Run(ctx, listener.Addr().String(), card) }()
	conn, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, cancel, done
}

func TestCardBehindDriver(t *testing.T) {
	card := &echo{}
	conn, pull, done := driver(t, card)
	for _, control := range []byte{powerOff, powerOn, reset} {
		if err := write(conn, []byte{control}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ message, want []byte }{
		{[]byte{answerATR}, card.ATR()},
		{[]byte{0, 0xa4, 4, 0}, []byte{0, 0xa4, 4, 0, 0x90, 0}},
	} {
		if err := write(conn, c.message); err != nil {
			t.Fatal(err)
		}
		got, err := read(conn)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%x answered %x, %v", c.message, got, err)
		}
	}
	pull()
	if err := <-done; err != nil {
		t.Errorf("after the pull: %v", err)
	}
	if card.resets != 3 {
		t.Errorf("%d power cycles, want 3", card.resets)
	}
	if _, err := read(conn); err == nil {
		t.Error("the connection outlived the card")
	}
}

func TestDriverEnds(t *testing.T) {
	conn, _, done := driver(t, &echo{})
	conn.Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Errorf("driver hung up: %v", err)
	}
	conn, _, done = driver(t, &echo{})
	if err := write(conn, []byte{9}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("an unknown control was swallowed")
	}
}

func TestNoDriver(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	if err := Run(context.Background(), address, &echo{}); err == nil {
		t.Error("no error without a driver")
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte{0, 1, 4, 0, 4, 0, 0xa4, 4, 0})
	f.Add([]byte{0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, input []byte) {
		var out bytes.Buffer
		err := serve(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(input), &out}, &echo{})
		if err == nil {
			t.Fatal("served beyond the end")
		}
		for out.Len() > 0 {
			if _, err := read(&out); err != nil {
				t.Fatalf("answers out of step: %v", err)
			}
		}
	})
}
