//go:build cgo && (linux || darwin)

package pcsc

// #cgo linux pkg-config: libpcsclite
// #cgo darwin LDFLAGS: -framework PCSC
// #include <stdint.h>
// #include <stdlib.h>
// #include <string.h>
// #include <PCSC/winscard.h>
// #include <PCSC/wintypes.h>
//
// // The reader states are packed on macOS and the protocol control information
// // is reached through macros, so both are handled on this side.
// static uint32_t status_change(SCARDCONTEXT context, uint32_t timeout, char **names,
//                               uint32_t *states, unsigned char *atrs, uint32_t *atr_lengths,
//                               int count, int room) {
// 	SCARD_READERSTATE *readers = calloc(count, sizeof *readers);
// 	if (readers == NULL)
// 		return (uint32_t)SCARD_E_NO_MEMORY;
// 	for (int i = 0; i < count; i++) {
// 		readers[i].szReader = names[i];
// 		readers[i].dwCurrentState = states[i];
// 	}
// 	uint32_t rc = (uint32_t)SCardGetStatusChange(context, timeout, readers, count);
// 	for (int i = 0; i < count; i++) {
// 		uint32_t n = (uint32_t)readers[i].cbAtr;
// 		if (n > sizeof readers[i].rgbAtr)
// 			n = sizeof readers[i].rgbAtr;
// 		if (n > (uint32_t)room)
// 			n = room;
// 		states[i] = (uint32_t)readers[i].dwEventState;
// 		atr_lengths[i] = n;
// 		memcpy(atrs + i * room, readers[i].rgbAtr, n);
// 	}
// 	free(readers);
// 	return rc;
// }
//
// static uint32_t transmit(SCARDHANDLE card, uint32_t protocol, const unsigned char *command,
//                          uint32_t command_length, unsigned char *response, uint32_t *response_length) {
// 	DWORD n = *response_length;
// 	uint32_t rc = (uint32_t)SCardTransmit(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1,
// 	                                      command, command_length, NULL, response, &n);
// 	*response_length = (uint32_t)n;
// 	return rc;
// }
import "C"

import (
	"bytes"
	"time"
	"unsafe"
)

type handle = C.SCARDHANDLE

// Context is a connection to the smart card service (SCardEstablishContext).
// Cancel may be called from another goroutine; all else belongs to one
// goroutine at a time.
type Context struct{ handle C.SCARDCONTEXT }

// Establish connects to the smart card service. Release it.
func Establish() (*Context, error) {
	var c Context
	rc := C.SCardEstablishContext(scopeSystem, nil, nil, &c.handle)
	if err := checkService("connecting to the smart card service", uint32(rc)); err != nil {
		return nil, err
	}
	return &c, nil
}

// Release ends the connection to the service.
func (c *Context) Release() error {
	return checkService("releasing the smart card service", uint32(C.SCardReleaseContext(c.handle)))
}

// Cancel makes a StatusChange that another goroutine waits in return Cancelled.
func (c *Context) Cancel() error {
	return checkService("cancelling", uint32(C.SCardCancel(c.handle)))
}

// Readers returns the names of the readers, none where there are none.
func (c *Context) Readers() ([]string, error) {
	for {
		var n C.DWORD
		rc := C.SCardListReaders(c.handle, nil, nil, &n)
		if Code(uint32(rc)) == NoReaders || rc == 0 && n == 0 {
			return nil, nil
		}
		if err := checkService("listing readers", uint32(rc)); err != nil {
			return nil, err
		}
		buffer := make([]byte, n)
		rc = C.SCardListReaders(c.handle, nil, (*C.char)(unsafe.Pointer(&buffer[0])), &n)
		switch Code(uint32(rc)) {
		case NoReaders:
			return nil, nil
		case BufferTooSmall: // a reader was plugged in between
			continue
		}
		if err := checkService("listing readers", uint32(rc)); err != nil {
			return nil, err
		}
		var readers []string
		for name := range bytes.SplitSeq(buffer[:n], []byte{0}) {
			if len(name) > 0 {
				readers = append(readers, string(name))
			}
		}
		return readers, nil
	}
}

// StatusChange waits until one of the readers is no longer as the state given
// for it, and updates the states. A zero State returns at once with the current
// one. It returns Timeout at the limit and Cancelled after Cancel; the states
// are updated in either case.
func (c *Context) StatusChange(states []ReaderState, limit time.Duration) error {
	if len(states) == 0 {
		return nil
	}
	names := make([]*C.char, len(states))
	for i := range states {
		names[i] = C.CString(states[i].Reader)
		defer C.free(unsafe.Pointer(names[i]))
	}
	raw := make([]C.uint32_t, len(states))
	for i, state := range states {
		raw[i] = C.uint32_t(state.raw())
	}
	atrs := make([]byte, maxATR*len(states))
	lengths := make([]C.uint32_t, len(states))
	rc := C.status_change(c.handle, C.uint32_t(limit.Milliseconds()), &names[0], &raw[0],
		(*C.uchar)(unsafe.Pointer(&atrs[0])), &lengths[0], C.int(len(states)), maxATR)
	for i := range states {
		atr := atrs[i*maxATR:]
		states[i].set(uint32(raw[i]), bytes.Clone(atr[:lengths[i]]))
	}
	return checkService("watching the readers", uint32(rc))
}

// Connect powers the card in the reader up and opens a connection to it.
// Disconnect it.
func (c *Context) Connect(reader string, mode ShareMode) (*Card, error) {
	name := C.CString(reader)
	defer C.free(unsafe.Pointer(name))
	var (
		card     Card
		protocol C.DWORD
	)
	rc := C.SCardConnect(c.handle, name, C.DWORD(mode), protocolAny, &card.handle, &protocol)
	if err := check("connecting to the card", uint32(rc)); err != nil {
		return nil, err
	}
	card.protocol = uint32(protocol)
	return &card, nil
}

// CardOf returns the connection with that SCARDHANDLE, which somebody else in
// this process opened with protocol T=1 and is to close.
func CardOf(handle uint64) *Card {
	return &Card{handle: C.SCARDHANDLE(handle), protocol: protocolT1}
}

// Check reports whether this still is a connection to the card that it was made
// to: ResetCard or RemovedCard where it is not (SCardStatus). The card is sent
// nothing.
func (c *Card) Check() error {
	return check("looking after the connection", uint32(C.SCardStatus(c.handle, nil, nil, nil, nil, nil, nil)))
}

// Reconnect goes on with the connection in another mode, after what the
// disposition says was done to the card (SCardReconnect). An open transaction
// stays.
func (c *Card) Reconnect(mode ShareMode, disposition Disposition) error {
	var protocol C.DWORD
	rc := C.SCardReconnect(c.handle, C.DWORD(mode), C.DWORD(c.protocol), C.DWORD(disposition), &protocol)
	if err := check("reconnecting to the card", uint32(rc)); err != nil {
		return err
	}
	c.protocol = uint32(protocol)
	return nil
}

// Disconnect closes the connection; an open transaction ends with it.
func (c *Card) Disconnect(disposition Disposition) error {
	return check("disconnecting", uint32(C.SCardDisconnect(c.handle, C.DWORD(disposition))))
}

// Begin waits for the transactions of others to end and starts one: until End,
// nobody else can talk to the card.
func (c *Card) Begin() error {
	return check("beginning a transaction", uint32(C.SCardBeginTransaction(c.handle)))
}

// End ends the transaction.
func (c *Card) End(disposition Disposition) error {
	return check("ending the transaction", uint32(C.SCardEndTransaction(c.handle, C.DWORD(disposition))))
}

// Transmit sends one command APDU and returns the response APDU as it is,
// status word included.
func (c *Card) Transmit(command []byte) ([]byte, error) {
	if len(command) < 4 {
		return nil, &Error{Call: "sending a command", Code: InvalidParameter}
	}
	response := make([]byte, responseRoom(command))
	n := C.uint32_t(len(response))
	rc := C.transmit(c.handle, C.uint32_t(c.protocol), (*C.uchar)(unsafe.Pointer(&command[0])),
		C.uint32_t(len(command)), (*C.uchar)(unsafe.Pointer(&response[0])), &n)
	if err := check("sending a command", uint32(rc)); err != nil {
		return nil, err
	}
	return response[:min(int(n), len(response))], nil
}
