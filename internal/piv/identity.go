package piv

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Identity is which card it is. Only the serial number tells cards apart.
type Identity struct {
	Serial     uint32
	Firmware   Version
	FormFactor byte   // as in device information and attestations; 0 unknown
	Model      string // such as "YubiKey 5C NFC", as far as it is known
	Reader     string // where the card was seen last
}

// AttestedSerial is the serial number that the card's attestations have to tell:
// 0 before firmware 5.0, which tells none.
func (i Identity) AttestedSerial() uint32 {
	if !i.Firmware.AtLeast(5, 0, 0) {
		return 0
	}
	return i.Serial
}

// recognise asks the card in a session who it is.
func recognise(s *session) (Identity, error) {
	version, err := s.Version()
	if err != nil {
		if _, refused := statusOf(err); refused {
			return Identity{}, fmt.Errorf("%w: %w", ErrNotYubiKey, err)
		}
		return Identity{}, err
	}
	serial, err := s.Serial(version[0])
	if err != nil {
		return Identity{}, err
	}
	firmware := Version{int(version[0]), int(version[1]), int(version[2])}
	return Identity{Serial: serial, Firmware: firmware, Model: model(firmware, pcsc.DeviceInfo{}), Reader: s.reader.Reader}, nil
}

// identify asks further what the card looks like, where it tells that. PIV is
// selected again afterwards.
func identify(s *session) (Identity, error) {
	identity, err := recognise(s)
	if err != nil {
		return Identity{}, err
	}
	info, err := deviceInfo(s)
	if _, refused := statusOf(err); err != nil && !refused {
		return Identity{}, err
	}
	identity.FormFactor = info.FormFactor
	identity.Model = model(identity.Firmware, info)
	return identity, nil
}

// deviceInfo visits the management application, which old or locked-down cards
// refuse.
func deviceInfo(s *session) (pcsc.DeviceInfo, error) {
	if _, err := s.Select(pcsc.Management); err != nil {
		return pcsc.DeviceInfo{}, err
	}
	info, err := s.DeviceInfo()
	if _, selectErr := s.Select(pcsc.PIV); selectErr != nil {
		return pcsc.DeviceInfo{}, selectErr
	}
	return info, err
}

const (
	formFactorFIPS = 0x80
	formFactorMask = 0x0F
)

// model names a YubiKey by its firmware, form factor and antenna.
func model(firmware Version, info pcsc.DeviceInfo) string {
	name := "YubiKey"
	switch {
	case firmware.Major >= 5:
		name = modern(info)
	case firmware.Major == 4:
		name = "YubiKey 4"
	case firmware.Major > 0:
		name = "YubiKey NEO"
	}
	if info.FormFactor&formFactorFIPS != 0 {
		name += " FIPS"
	}
	return name
}

func modern(info pcsc.DeviceInfo) string {
	nfc := info.NFCSupported != 0
	switch info.FormFactor & formFactorMask {
	case 1:
		if nfc {
			return "YubiKey 5 NFC"
		}
		return "YubiKey 5A"
	case 2:
		return "YubiKey 5 Nano"
	case 3:
		if nfc {
			return "YubiKey 5C NFC"
		}
		return "YubiKey 5C"
	case 4:
		return "YubiKey 5C Nano"
	case 5:
		return "YubiKey 5Ci"
	case 6:
		return "YubiKey Bio"
	case 7:
		return "YubiKey C Bio"
	}
	return "YubiKey 5"
}
