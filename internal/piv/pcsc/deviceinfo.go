package pcsc

import (
	"encoding/binary"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// DeviceInfo is what a YubiKey's management application tells (READ CONFIG,
// firmware 4.1 and later). Absent elements are zero.
type DeviceInfo struct {
	Serial       uint32  // tag 02
	Version      [3]byte // tag 05, from firmware 5: major, minor, patch
	FormFactor   byte    // tag 04: 1 USB-A keychain … 5 USB-C and Lightning; 0x80 FIPS, 0x40 Security Key
	NFCSupported uint16  // tag 0D: capabilities over NFC, 0 without an antenna
}

// DeviceInfo reads the first page of device information. The management
// application must be selected.
func (a Applet) DeviceInfo() (DeviceInfo, error) {
	response, err := a.Exchange(Command{Instruction: insReadConfig})
	if err != nil {
		return DeviceInfo{}, fmt.Errorf("reading the device information: %w", err)
	}
	info, err := ParseDeviceInfo(response)
	if err != nil {
		return DeviceInfo{}, fmt.Errorf("reading the device information: %w", err)
	}
	return info, nil
}

// ParseDeviceInfo reads a page of device information: one byte with the length
// of what follows, then TLV elements. Unknown elements are passed over.
func ParseDeviceInfo(page []byte) (DeviceInfo, error) {
	if len(page) == 0 || int(page[0]) != len(page)-1 {
		return DeviceInfo{}, fmt.Errorf("%w: the length byte of the device information is wrong", bertlv.ErrMalformed)
	}
	elements, err := bertlv.Parse(page[1:])
	if err != nil {
		return DeviceInfo{}, err
	}
	var info DeviceInfo
	for _, element := range elements {
		value := element.Value
		switch {
		case element.Tag == 0x02 && len(value) == 4:
			info.Serial = binary.BigEndian.Uint32(value)
		case element.Tag == 0x04 && len(value) == 1:
			info.FormFactor = value[0]
		case element.Tag == 0x05 && len(value) == 3:
			info.Version = [3]byte(value)
		case element.Tag == 0x0D && len(value) == 2:
			info.NFCSupported = binary.BigEndian.Uint16(value)
		case element.Tag == 0x0D && len(value) == 1:
			info.NFCSupported = uint16(value[0])
		}
	}
	return info, nil
}
