package pcscd

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The bodies of the messages: fixed-size structures of 32-bit words and byte
// arrays in host byte order, the same for a request and its reply.
type (
	header      struct{ Size, Command uint32 }
	versionBody struct {
		Major, Minor int32
		RV           uint32
	}
	establishBody struct{ Scope, Context, RV uint32 }
	releaseBody   struct{ Context, RV uint32 }
	connectBody   struct {
		Context    uint32
		Reader     [maxReaderName]byte
		Share      uint32
		Preferred  uint32
		Card       uint32
		Active, RV uint32
	}
	reconnectBody struct{ Card, Share, Preferred, Initialization, Active, RV uint32 }
	// dispositionBody serves DISCONNECT and END TRANSACTION.
	dispositionBody struct{ Card, Disposition, RV uint32 }
	// handleBody serves BEGIN TRANSACTION, STATUS and CANCEL.
	handleBody   struct{ Handle, RV uint32 }
	transmitBody struct {
		Card                                  uint32
		SendProtocol, SendPCILength, SendSize uint32
		RecvProtocol, RecvPCILength, RecvSize uint32
		RV                                    uint32
	}
	controlBody struct{ Card, Code, SendSize, RecvSize, Returned, RV uint32 }
	attribBody  struct {
		Card, ID uint32
		Value    [maxAttribute]byte
		Size, RV uint32
	}
	// eventBody is {timeout, rv}: what a waiting client is sent.
	eventBody struct{ Timeout, RV uint32 }
	// countBody answers GET READER EVENTS.
	countBody struct{ Events, RV uint32 }

	readerState struct {
		Name     [maxReaderName]byte
		Events   uint32
		State    uint32
		Sharing  int32
		ATR      [maxATR]byte
		_        [3]byte
		ATRSize  uint32
		Protocol uint32
	}
)

// encode returns a structure's bytes on the wire.
func encode(body any) []byte {
	out, err := binary.Append(nil, binary.NativeEndian, body)
	if err != nil {
		// Only a structure of variable size gets here, and there is none.
		return nil
	}
	return out
}

// readBody reads a body whose announced size must be that of into.
func readBody(r io.Reader, announced uint32, into any) error {
	if int(announced) != binary.Size(into) {
		return fmt.Errorf("body of %d bytes where %d were expected", announced, binary.Size(into))
	}
	buf := make([]byte, announced)
	if _, err := io.ReadFull(r, buf); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if _, err := binary.Decode(buf, binary.NativeEndian, into); err != nil {
		return fmt.Errorf("decode body: %w", err)
	}
	return nil
}

// readData reads the bytes that follow a TRANSMIT or CONTROL body.
func readData(r io.Reader, size uint32) ([]byte, error) {
	if size > maxExtended {
		return nil, fmt.Errorf("%d bytes of data, more than %d", size, maxExtended)
	}
	buf := make([]byte, size)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, fmt.Errorf("read data: %w", err)
	}
	return buf, nil
}
