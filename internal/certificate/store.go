package certificate

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// storeBegin is how a serialized certificate store of Windows (.sst) begins, which
// CertSaveStore and the certificate manager write: its version, and a mark.
var storeBegin = []byte("\x00\x00\x00\x00CERT")

// The numbers of entries that are no properties of the one that follows.
const (
	storeEnd         = 0
	storeCertificate = 32
	storeCRL         = 33
)

// store reads the certificates of a Windows store: entries one after the other, each with
// its number, its encoding, the length of its value, and that.
func (r *reader) store(data []byte) error {
	const header = 12 // octets
	for rest := data[len(storeBegin):]; ; {
		if len(rest) < header {
			return errStore()
		}
		entry, length := binary.LittleEndian.Uint32(rest), int64(binary.LittleEndian.Uint32(rest[8:]))
		rest = rest[header:]
		switch {
		case entry == storeEnd:
			return nil
		case length > int64(len(rest)):
			return errStore()
		case entry == storeCertificate:
			if err := r.certificate(bytes.Clone(rest[:length])); err != nil {
				return err
			}
		case entry == storeCRL:
			r.passedOver = kindCRL
		}
		rest = rest[length:]
	}
}

func errStore() error {
	return fmt.Errorf("%w: the Windows certificate store (.sst) is damaged or cut off", ErrUnreadable)
}
