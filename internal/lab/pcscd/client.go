package pcscd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// client is one connection to the socket: one context of one program.
type client struct {
	server *Server
	conn   net.Conn
	write  sync.Mutex // one message at a time; taken before the server's mutex

	// Guarded by the server's mutex.
	context uint32 // 0: none established
	waiting bool   // to be told about the next change
}

// serve answers requests until the program hangs up or breaks the protocol;
// what it held is then given back.
func (c *client) serve() {
	// Why a program went away concerns nobody: there is nobody to tell.
	_ = c.requests()
	_ = c.conn.Close()
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(c)
	delete(s.clients, c)
}

func (c *client) requests() error {
	for {
		var head header
		if err := binary.Read(c.conn, binary.NativeEndian, &head); err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if head.Size > largestBody {
			return fmt.Errorf("request of %d bytes", head.Size)
		}
		if err := c.answer(head, c.conn); err != nil {
			return err
		}
	}
}

var errUnknownCommand = errors.New("unknown command")

// answer reads the body of one request and sends the reply.
func (c *client) answer(head header, body io.Reader) error {
	switch head.Command {
	case cmdVersion:
		return converse(c, head, body, c.version)
	case cmdEstablishContext:
		return converse(c, head, body, c.establish)
	case cmdReleaseContext:
		return converse(c, head, body, c.releaseContext)
	case cmdConnect:
		return converse(c, head, body, c.connect)
	case cmdReconnect:
		return converse(c, head, body, c.reconnect)
	case cmdDisconnect:
		return converse(c, head, body, c.disconnect)
	case cmdBeginTransaction:
		return converse(c, head, body, c.begin)
	case cmdEndTransaction:
		return converse(c, head, body, c.end)
	case cmdStatus:
		return converse(c, head, body, c.status)
	case cmdCancel:
		return converse(c, head, body, c.cancel)
	case cmdGetAttrib:
		return converse(c, head, body, c.attribute)
	case cmdSetAttrib:
		return converse(c, head, body, c.setAttribute)
	case cmdTransmit:
		return c.transmit(head, body)
	case cmdControl:
		return c.control(head, body)
	case cmdGetReadersState:
		return c.states(head, false)
	case cmdWaitStateChange:
		return c.states(head, true)
	case cmdStopWaiting:
		return c.stopWaiting(head)
	case cmdGetReaderEvents:
		return c.readerEvents(head)
	default:
		return fmt.Errorf("command %#x: %w", head.Command, errUnknownCommand)
	}
}

// converse reads a body, has it worked on in place, and sends it back.
func converse[T any](c *client, head header, r io.Reader, work func(*T)) error {
	var body T
	if err := readBody(r, head.Size, &body); err != nil {
		return err
	}
	work(&body)
	return c.send(encode(&body))
}

// send writes one message.
func (c *client) send(message []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	if _, err := c.conn.Write(message); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func (c *client) version(body *versionBody) {
	body.RV = codeServiceStopped
	if body.Major == versionMajor && body.Minor >= versionMinorMin && body.Minor <= versionMinorMax {
		body.RV = codeSuccess
		return
	}
	body.Major, body.Minor = versionMajor, versionMinorMax
}
