package piv

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/logging"
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

// ask asks the card in a reader who it is, on a connection that keeps nobody
// else out, in a transaction. PIV is selected afterwards.
//
// Errors: ErrNotYubiKey, ErrNoSerial.
func ask(ctx context.Context, reader string) (Identity, error) {
	service, err := pcsc.Establish()
	if err != nil {
		return Identity{}, err
	}
	defer service.Release()
	card, err := service.Connect(reader, pcsc.Shared)
	if errors.Is(err, pcsc.UnsupportedCard) || errors.Is(err, pcsc.ProtocolMismatch) {
		return Identity{}, fmt.Errorf("%w: %w", ErrNotYubiKey, err)
	}
	if err != nil {
		return Identity{}, err
	}
	defer card.Disconnect(pcsc.LeaveCard)
	if err := card.Begin(); err != nil {
		return Identity{}, err
	}
	defer card.End(pcsc.LeaveCard)
	return identify(pcsc.Applet{Card: pcsc.Traced(card, logging.From(logging.Adding(ctx, "reader", reader)))}, reader)
}

// identify asks the management application, which from firmware 5 on knows it
// all, and PIV for what that does not tell.
func identify(applet pcsc.Applet, reader string) (Identity, error) {
	info, err := deviceInfo(applet)
	if _, refused := statusOf(err); err != nil && !refused {
		return Identity{}, err
	}
	if _, err := applet.Select(pcsc.PIV); err != nil {
		return Identity{}, refusedBy(err, ErrNotYubiKey)
	}
	version := info.Version
	if version == [3]byte{} {
		if version, err = applet.Version(); err != nil {
			return Identity{}, refusedBy(err, ErrNotYubiKey)
		}
	}
	if info.Serial == 0 {
		if info.Serial, err = applet.Serial(version[0]); err != nil {
			return Identity{}, refusedBy(err, ErrNoSerial)
		}
	}
	if info.Serial == 0 {
		return Identity{}, ErrNoSerial
	}
	firmware := Version{int(version[0]), int(version[1]), int(version[2])}
	return Identity{Serial: info.Serial, Firmware: firmware, FormFactor: info.FormFactor, Model: model(firmware, info), Reader: reader}, nil
}

// refusedBy is what it means that the card, not the way to it, refused.
func refusedBy(err, meaning error) error {
	if _, refused := statusOf(err); refused {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}

// deviceInfo visits the management application, which old or locked-down cards
// refuse.
func deviceInfo(applet pcsc.Applet) (pcsc.DeviceInfo, error) {
	if _, err := applet.Select(pcsc.Management); err != nil {
		return pcsc.DeviceInfo{}, err
	}
	return applet.DeviceInfo()
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
