package pcsc

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The functions of winscard.dll, looked up in the system directory on first use.
var (
	winscard         = windows.NewLazySystemDLL("winscard.dll")
	establishContext = winscard.NewProc("SCardEstablishContext")
	releaseContext   = winscard.NewProc("SCardReleaseContext")
	cancelContext    = winscard.NewProc("SCardCancel")
	listReaders      = winscard.NewProc("SCardListReadersW")
	getStatusChange  = winscard.NewProc("SCardGetStatusChangeW")
	connectCard      = winscard.NewProc("SCardConnectW")
	cardStatus       = winscard.NewProc("SCardStatusW")
	reconnectCard    = winscard.NewProc("SCardReconnect")
	disconnectCard   = winscard.NewProc("SCardDisconnect")
	beginTransaction = winscard.NewProc("SCardBeginTransaction")
	endTransaction   = winscard.NewProc("SCardEndTransaction")
	transmitToCard   = winscard.NewProc("SCardTransmit")
)

type handle = uintptr

// readerState is SCARD_READERSTATEW.
type readerState struct {
	reader       *uint16
	userData     uintptr
	currentState uint32
	eventState   uint32
	atrLength    uint32
	atr          [maxATR]byte
}

// ioRequest is SCARD_IO_REQUEST.
type ioRequest struct{ protocol, length uint32 }

// Context is a connection to the smart card service (SCardEstablishContext).
// Cancel may be called from another goroutine; all else belongs to one
// goroutine at a time.
type Context struct{ handle handle }

// Establish connects to the smart card service. Release it.
func Establish() (*Context, error) {
	const doing = "connecting to the smart card service"
	if err := establishContext.Find(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	var c Context
	rc, _, _ := establishContext.Call(scopeSystem, 0, 0, uintptr(unsafe.Pointer(&c.handle)))
	if err := checkService(doing, uint32(rc)); err != nil {
		return nil, err
	}
	return &c, nil
}

// Release ends the connection to the service.
func (c *Context) Release() error {
	rc, _, _ := releaseContext.Call(c.handle)
	return checkService("releasing the smart card service", uint32(rc))
}

// Cancel makes a StatusChange that another goroutine waits in return Cancelled.
func (c *Context) Cancel() error {
	rc, _, _ := cancelContext.Call(c.handle)
	return checkService("cancelling", uint32(rc))
}

// Readers returns the names of the readers, none where there are none.
func (c *Context) Readers() ([]string, error) {
	for {
		var n uint32
		rc, _, _ := listReaders.Call(c.handle, 0, 0, uintptr(unsafe.Pointer(&n)))
		if Code(uint32(rc)) == NoReaders || rc == 0 && n == 0 {
			return nil, nil
		}
		if err := checkService("listing readers", uint32(rc)); err != nil {
			return nil, err
		}
		buffer := make([]uint16, n)
		rc, _, _ = listReaders.Call(c.handle, 0, uintptr(unsafe.Pointer(&buffer[0])), uintptr(unsafe.Pointer(&n)))
		switch Code(uint32(rc)) {
		case NoReaders:
			return nil, nil
		case BufferTooSmall: // a reader was plugged in between
			continue
		}
		if err := checkService("listing readers", uint32(rc)); err != nil {
			return nil, err
		}
		return splitNames(buffer[:min(int(n), len(buffer))]), nil
	}
}

// splitNames splits a list of NUL-terminated names that ends in an empty one.
func splitNames(buffer []uint16) []string {
	var names []string
	for start, i := 0, 0; i < len(buffer); i++ {
		if buffer[i] == 0 {
			if i > start {
				names = append(names, windows.UTF16ToString(buffer[start:i]))
			}
			start = i + 1
		}
	}
	return names
}

// StatusChange waits until one of the readers is no longer as the state given
// for it, and updates the states. A zero State returns at once with the current
// one. It returns Timeout at the limit and Cancelled after Cancel; the states
// are updated in either case.
func (c *Context) StatusChange(states []ReaderState, limit time.Duration) error {
	if len(states) == 0 {
		return nil
	}
	raw := make([]readerState, len(states))
	for i, state := range states {
		name, err := windows.UTF16PtrFromString(state.Reader)
		if err != nil {
			return &Error{Call: "watching the readers", Code: UnknownReader}
		}
		raw[i].reader, raw[i].currentState = name, state.raw()
	}
	rc, _, _ := getStatusChange.Call(c.handle, uintptr(uint32(limit.Milliseconds())),
		uintptr(unsafe.Pointer(&raw[0])), uintptr(len(raw)))
	for i := range states {
		n := min(int(raw[i].atrLength), maxATR)
		states[i].set(raw[i].eventState, bytes.Clone(raw[i].atr[:n]))
	}
	runtime.KeepAlive(raw)
	return checkService("watching the readers", uint32(rc))
}

// Connect powers the card in the reader up and opens a connection to it.
// Disconnect it.
func (c *Context) Connect(reader string, mode ShareMode) (*Card, error) {
	const doing = "connecting to the card"
	name, err := windows.UTF16PtrFromString(reader)
	if err != nil {
		return nil, &Error{Call: doing, Code: UnknownReader}
	}
	var card Card
	rc, _, _ := connectCard.Call(c.handle, uintptr(unsafe.Pointer(name)), uintptr(mode), protocolAny,
		uintptr(unsafe.Pointer(&card.handle)), uintptr(unsafe.Pointer(&card.protocol)))
	if err := check(doing, uint32(rc)); err != nil {
		return nil, err
	}
	return &card, nil
}

// CardOf returns the connection with that SCARDHANDLE, which somebody else in
// this process opened with protocol T=1 and is to close.
func CardOf(handle uint64) *Card {
	return &Card{handle: uintptr(handle), protocol: protocolT1}
}

// Check reports whether this still is a connection to the card that it was made
// to: ResetCard or RemovedCard where it is not (SCardStatus). The card is sent
// nothing.
func (c *Card) Check() error {
	rc, _, _ := cardStatus.Call(c.handle, 0, 0, 0, 0, 0, 0)
	return check("looking after the connection", uint32(rc))
}

// Reconnect goes on with the connection in another mode, after what the
// disposition says was done to the card (SCardReconnect). An open transaction
// stays.
func (c *Card) Reconnect(mode ShareMode, disposition Disposition) error {
	rc, _, _ := reconnectCard.Call(c.handle, uintptr(mode), uintptr(c.protocol), uintptr(disposition),
		uintptr(unsafe.Pointer(&c.protocol)))
	return check("reconnecting to the card", uint32(rc))
}

// Disconnect closes the connection; an open transaction ends with it.
func (c *Card) Disconnect(disposition Disposition) error {
	rc, _, _ := disconnectCard.Call(c.handle, uintptr(disposition))
	return check("disconnecting", uint32(rc))
}

// Begin waits for the transactions of others to end and starts one: until End,
// nobody else can talk to the card.
func (c *Card) Begin() error {
	rc, _, _ := beginTransaction.Call(c.handle)
	return check("beginning a transaction", uint32(rc))
}

// End ends the transaction.
func (c *Card) End(disposition Disposition) error {
	rc, _, _ := endTransaction.Call(c.handle, uintptr(disposition))
	return check("ending the transaction", uint32(rc))
}

// Transmit sends one command APDU and returns the response APDU as it is,
// status word included.
func (c *Card) Transmit(command []byte) ([]byte, error) {
	const doing = "sending a command"
	if len(command) < 4 {
		return nil, &Error{Call: doing, Code: InvalidParameter}
	}
	pci := ioRequest{protocol: c.protocol, length: uint32(unsafe.Sizeof(ioRequest{}))}
	response := make([]byte, responseRoom(command))
	n := uint32(len(response))
	rc, _, _ := transmitToCard.Call(c.handle, uintptr(unsafe.Pointer(&pci)),
		uintptr(unsafe.Pointer(&command[0])), uintptr(len(command)), 0,
		uintptr(unsafe.Pointer(&response[0])), uintptr(unsafe.Pointer(&n)))
	if err := check(doing, uint32(rc)); err != nil {
		return nil, err
	}
	return response[:min(int(n), len(response))], nil
}
