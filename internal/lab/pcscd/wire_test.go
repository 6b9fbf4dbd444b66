package pcscd

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// scripted is a card that answers 9000 to everything and remembers.
type scripted struct {
	mu       sync.Mutex
	commands [][]byte
	resets   int
	hold     chan struct{} // commands wait for it when it is not nil
	entered  chan struct{} // told of every command
}

var testATR = []byte{0x3b, 0xfd, 0x13, 0x00, 0x00, 0x81, 0x31, 0xfe}

func (c *scripted) ATR() []byte { return testATR }

func (c *scripted) Transmit(command []byte) []byte {
	c.mu.Lock()
	c.commands = append(c.commands, bytes.Clone(command))
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		c.entered <- struct{}{}
		<-hold
	}
	return append(bytes.Clone(command), 0x90, 0x00)
}

func (c *scripted) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resets++
}

func (c *scripted) seen() (commands, resets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.commands), c.resets
}

// program is a PC/SC program as the socket sees it.
type program struct {
	t       *testing.T
	conn    net.Conn
	context uint32
}

func start(t *testing.T, readers int, options ...Option) (*Server, string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	s, err := Listen(socket, readers, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, socket
}

func dial(t *testing.T, socket string) *program {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &program{t: t, conn: conn}
	body := establishBody{Scope: 2}
	p.call(cmdEstablishContext, &body)
	if body.RV != codeSuccess || body.Context == 0 {
		t.Fatalf("establish: %+v", body)
	}
	p.context = body.Context
	return p
}

func (p *program) send(command uint32, body any, data []byte) {
	p.t.Helper()
	message := encode(&header{uint32(max(binary.Size(body), 0)), command})
	if body != nil {
		message = append(message, encode(body)...)
	}
	if _, err := p.conn.Write(append(message, data...)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) receive(body any) {
	p.t.Helper()
	buf := make([]byte, binary.Size(body))
	if _, err := io.ReadFull(p.conn, buf); err != nil {
		p.t.Fatal(err)
	}
	if _, err := binary.Decode(buf, binary.NativeEndian, body); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) call(command uint32, body any) {
	p.t.Helper()
	p.send(command, body, nil)
	p.receive(body)
}

func (p *program) connect(reader string, share uint32) (uint32, uint32) {
	p.t.Helper()
	body := connectBody{Context: p.context, Share: share, Preferred: protoT1}
	copy(body.Reader[:], reader)
	p.call(cmdConnect, &body)
	return body.Card, body.RV
}

func (p *program) mustConnect(reader string, share uint32) uint32 {
	p.t.Helper()
	card, rv := p.connect(reader, share)
	if rv != codeSuccess {
		p.t.Fatalf("connect: %#x", rv)
	}
	return card
}

func (p *program) sendTransmit(card uint32, command []byte) {
	p.t.Helper()
	p.send(cmdTransmit, &transmitBody{
		Card: card, SendProtocol: protoT1, SendSize: uint32(len(command)), RecvSize: maxExtended,
	}, command)
}

func (p *program) receiveTransmit() ([]byte, uint32) {
	p.t.Helper()
	var body transmitBody
	p.receive(&body)
	if body.RV != codeSuccess {
		return nil, body.RV
	}
	answer := make([]byte, body.RecvSize)
	if _, err := io.ReadFull(p.conn, answer); err != nil {
		p.t.Fatal(err)
	}
	return answer, codeSuccess
}

func (p *program) transmit(card uint32, command ...byte) ([]byte, uint32) {
	p.t.Helper()
	p.sendTransmit(card, command)
	return p.receiveTransmit()
}

func (p *program) begin(card uint32) uint32 {
	p.t.Helper()
	body := handleBody{Handle: card}
	p.call(cmdBeginTransaction, &body)
	return body.RV
}

func (p *program) end(card, disposition uint32) uint32 {
	p.t.Helper()
	body := dispositionBody{Card: card, Disposition: disposition}
	p.call(cmdEndTransaction, &body)
	return body.RV
}

func (p *program) disconnect(card, disposition uint32) uint32 {
	p.t.Helper()
	body := dispositionBody{Card: card, Disposition: disposition}
	p.call(cmdDisconnect, &body)
	return body.RV
}

func (p *program) status(card uint32) uint32 {
	p.t.Helper()
	body := handleBody{Handle: card}
	p.call(cmdStatus, &body)
	return body.RV
}

func (p *program) reconnect(card, share, initialization uint32) uint32 {
	p.t.Helper()
	body := reconnectBody{Card: card, Share: share, Preferred: protoT1, Initialization: initialization}
	p.call(cmdReconnect, &body)
	return body.RV
}

func (p *program) states(command uint32) [maxReaders]readerState {
	p.t.Helper()
	var all [maxReaders]readerState
	p.send(command, nil, nil)
	p.receive(&all)
	return all
}

func insert(t *testing.T, s *Server, reader int, card Card) {
	t.Helper()
	if err := s.Insert(reader, card); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, s *Server, reader int) {
	t.Helper()
	if _, err := s.Remove(reader); err != nil {
		t.Fatal(err)
	}
}
