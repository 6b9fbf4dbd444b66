// Package vpcd puts a virtual card behind a real pcscd: it is the card's end of
// the connection to vpcd, the reader driver of the Virtual Smart Card project.
//
// The driver listens on TCP (by default port 35963); a card connects. Every
// message has a two-byte big-endian length before it. A message of one byte
// from the driver is a control: power off (0), power on (1), reset (2), answer
// to reset wanted (4); every longer one is a command APDU. Only the last
// control and commands are answered. The card is in the reader as long as the
// connection lasts.
package vpcd

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// DefaultAddress is where a vpcd driver listens that was not configured
// otherwise (its CHANNELID is 0x8C7B).
const DefaultAddress = "127.0.0.1:35963"

// Card is the card that is put in: see the methods of the same names in
// package pcscd.
type Card interface {
	ATR() []byte
	Transmit(command []byte) []byte
	Reset()
}

// ErrTooLong reports a message that does not fit its two-byte length.
var ErrTooLong = errors.New("message longer than 65535 bytes")

// Run connects to a driver and serves the card until the context ends, which
// pulls the card and is no error, or until the driver hangs up, which is
// io.EOF.
func Run(ctx context.Context, address string, card Card) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connect to vpcd: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err = serve(conn, card)
	_ = conn.Close()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve a card to vpcd: %w", err)
}

// The controls, messages of one byte.
const (
	powerOff  = 0
	powerOn   = 1
	reset     = 2
	answerATR = 4
)

// serve answers messages until one cannot be read or answered.
func serve(conn io.ReadWriter, card Card) error {
	in := bufio.NewReader(conn)
	for {
		message, err := read(in)
		if err != nil {
			return err
		}
		var answer []byte
		if len(message) > 1 {
			answer = card.Transmit(message)
		} else if len(message) == 1 {
			switch message[0] {
			case powerOff, powerOn, reset:
				card.Reset()
				continue
			case answerATR:
				answer = card.ATR()
			default:
				return fmt.Errorf("unknown control %#x", message[0])
			}
		}
		if err := write(conn, answer); err != nil {
			return err
		}
	}
}

func read(r io.Reader) ([]byte, error) {
	var length uint16
	if err := binary.Read(r, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	message := make([]byte, length)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return message, nil
}

func write(w io.Writer, message []byte) error {
	if len(message) > 0xffff {
		return ErrTooLong
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(message)))
	if _, err := w.Write(append(out, message...)); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}
