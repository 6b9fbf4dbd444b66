package yubikey

import "encoding/binary"

// Instructions of the applets other than PIV.
const (
	insReadConfig byte = 0x1d // management
	insOTPRequest byte = 0x01 // OTP; P1 is the request
	insOTPStatus  byte = 0x03
	otpSerial     byte = 0x10
)

// Applications that device information can name, one bit each.
const (
	capOTP     = 0x0001
	capU2F     = 0x0002
	capOpenPGP = 0x0008
	capPIV     = 0x0010
	capOATH    = 0x0020
	capFIDO2   = 0x0200
)

// Tags of device information.
const (
	infoUSBSupported  = 0x01
	infoSerial        = 0x02
	infoUSBEnabled    = 0x03
	infoFormFactor    = 0x04
	infoVersion       = 0x05
	infoEjectTimeout  = 0x06
	infoTouchTimeout  = 0x07
	infoDeviceFlags   = 0x08
	infoLocked        = 0x0a
	infoNFCSupported  = 0x0d
	infoNFCEnabled    = 0x0e
	infoPINComplexity = 0x16
)

// managementGreeting is the answer to the selection of the management applet.
func (c *Card) managementGreeting() []byte {
	return []byte("Virtual mgr - FW version " + c.state.Firmware.String())
}

// management answers a command to the management applet: device information and
// nothing else.
func (c *Card) management(cmd command) ([]byte, status) {
	if cmd.ins != insReadConfig {
		return nil, swUnknownInstruction
	}
	if cmd.p2 != 0 {
		return nil, swWrongP1P2
	}
	if cmd.p1 != 0 {
		return []byte{0}, swOK // all there is to tell fits on page 0
	}
	info := c.deviceInfo()
	return append([]byte{byte(len(info))}, info...), swOK
}

// deviceInfo lists applications, serial number, form factor and version as
// data objects.
func (c *Card) deviceInfo() []byte {
	v := c.state.Firmware
	serial := binary.BigEndian.AppendUint32(nil, c.state.Serial)
	if !c.profile.can(FullDeviceInfo) {
		caps := []byte{capOTP | capU2F | capOpenPGP | capPIV | capOATH}
		info := appendTLV(nil, infoUSBSupported, caps)
		info = appendTLV(info, infoSerial, serial)
		return appendTLV(info, infoUSBEnabled, caps)
	}
	caps := binary.BigEndian.AppendUint16(nil, capOTP|capU2F|capOpenPGP|capPIV|capOATH|capFIDO2)
	info := appendTLV(nil, infoUSBSupported, caps)
	info = appendTLV(info, infoSerial, serial)
	info = appendTLV(info, infoUSBEnabled, caps)
	info = appendTLV(info, infoFormFactor, []byte{c.state.FormFactor})
	info = appendTLV(info, infoVersion, []byte{v.Major, v.Minor, v.Patch})
	info = appendTLV(info, infoEjectTimeout, []byte{0, 0})
	info = appendTLV(info, infoTouchTimeout, []byte{15})
	info = appendTLV(info, infoDeviceFlags, []byte{0})
	if c.profile.nfc {
		info = appendTLV(info, infoNFCSupported, caps)
		info = appendTLV(info, infoNFCEnabled, caps)
	}
	info = appendTLV(info, infoLocked, []byte{0})
	if c.profile.can(PINComplexity) {
		info = appendTLV(info, infoPINComplexity, flag(c.state.PINComplexity))
	}
	return info
}

// otpStatus is the status structure of the OTP applet with no slot programmed:
// version, programming sequence and touch level.
func (c *Card) otpStatus() []byte {
	v := c.state.Firmware
	return []byte{v.Major, v.Minor, v.Patch, 0, 0, 0}
}

// otp answers a command to the OTP applet: its status, and the serial number,
// which clients of cards older than firmware 5 read here.
func (c *Card) otp(cmd command) ([]byte, status) {
	switch {
	case cmd.ins == insOTPStatus:
		return c.otpStatus(), swOK
	case cmd.ins == insOTPRequest && cmd.p1 == otpSerial:
		return binary.BigEndian.AppendUint32(nil, c.state.Serial), swOK
	case cmd.ins == insOTPRequest:
		return nil, swWrongParameters
	}
	return nil, swUnknownInstruction
}
