package pcsc

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// Instructions of SP 800-73-4 part 2 §3 and of Yubico's PIV extensions.
const (
	insSelect              = 0xA4
	insGeneralAuthenticate = 0x87
	insGetData             = 0xCB
	insPutData             = 0xDB
	insVerify              = 0x20
	insGenerate            = 0x47
	insSetManagementKey    = 0xFF
	insVersion             = 0xFD
	insSerial              = 0xF8
	insMetadata            = 0xF7
	insMoveKey             = 0xF6
	insAttest              = 0xF9
	insResetRetryCounter   = 0x2C
	insImportKey           = 0xFE
	insSetRetries          = 0xFA
	insReset               = 0xFB
	insReadConfig          = 0x1D // management application
	insOTPStatus           = 0x01 // OTP application
	otpSerial              = 0x10
)

// AID is an application identifier to SELECT.
type AID string

// The applications that the product selects.
const (
	PIV        AID = "\xa0\x00\x00\x03\x08"             // SP 800-73-4 part 1 §2.2, right-truncated
	Management AID = "\xa0\x00\x00\x05\x27\x47\x11\x17" // YubiKey management
	OTP        AID = "\xa0\x00\x00\x05\x27\x20\x01\x01" // YubiKey OTP
)

// Applet sends commands to the application that was selected last. It holds no
// state besides the connection.
type Applet struct {
	Card Transmitter
	// MaxExtended is the longest extended command APDU that the card takes, in
	// bytes; 0 where it is to be sent short ones alone. Extended ones save rounds:
	// a certificate takes one where short ones take five.
	MaxExtended int
}

// MaxExtendedYubiKey is the longest extended command APDU of YubiKeys from
// firmware 4.3 on: the size of their CCID message buffer, as Yubico's tools have
// it.
const MaxExtendedYubiKey = 3062

// Select selects an application. A card without it answers NotFound.
func (a Applet) Select(id AID) ([]byte, error) {
	response, err := a.Exchange(Command{Instruction: insSelect, P1: 0x04, Data: []byte(id)})
	if err != nil {
		return nil, fmt.Errorf("selecting application %x: %w", string(id), err)
	}
	return response, nil
}

// Version returns major, minor and patch of a YubiKey's firmware; other PIV
// cards answer UnknownInstruction.
func (a Applet) Version() ([3]byte, error) {
	response, err := a.Exchange(Command{Instruction: insVersion})
	if err != nil {
		return [3]byte{}, fmt.Errorf("reading the version: %w", err)
	}
	if len(response) != 3 {
		return [3]byte{}, fmt.Errorf("reading the version: %d bytes, not 3", len(response))
	}
	return [3]byte(response), nil
}

// Serial returns a YubiKey's serial number. The PIV application tells it from
// firmware 5; before, the OTP application has to be asked, and PIV is selected
// again afterwards.
func (a Applet) Serial(major byte) (uint32, error) {
	if major >= 5 {
		return a.serial(Command{Instruction: insSerial})
	}
	if _, err := a.Select(OTP); err != nil {
		return 0, err
	}
	serial, err := a.serial(Command{Instruction: insOTPStatus, P1: otpSerial})
	if _, selectErr := a.Select(PIV); err == nil {
		err = selectErr
	}
	return serial, err
}

func (a Applet) serial(command Command) (uint32, error) {
	response, err := a.Exchange(command)
	if err != nil {
		return 0, fmt.Errorf("reading the serial number: %w", err)
	}
	if len(response) != 4 {
		return 0, fmt.Errorf("reading the serial number: %d bytes, not 4", len(response))
	}
	return binary.BigEndian.Uint32(response), nil
}

// Tries returns how often the PIN may still be tried, by a VERIFY without data
// (SP 800-73-4 part 2 §3.2.1). On a card where the PIN is verified already it
// says so instead.
func (a Applet) Tries() (tries int, verified bool, err error) {
	_, err = a.Exchange(Command{Instruction: insVerify, P2: ReferencePIN})
	if err == nil {
		return 0, true, nil
	}
	if status, ok := err.(Status); ok {
		if tries, ok := status.Tries(); ok {
			return tries, false, nil
		}
	}
	return 0, false, fmt.Errorf("reading the PIN counter: %w", err)
}

// VerifyPIN proves the PIN to the card (SP 800-73-4 part 2 §3.2.1); it has at
// most eight bytes. A wrong one is a Status with Tries.
func (a Applet) VerifyPIN(pin []byte) error {
	data := bytes.Repeat([]byte{0xFF}, 8) // the padding of §2.4.3
	defer clear(data)
	if copy(data, pin) < len(pin) {
		return errors.New("a PIN has at most eight bytes")
	}
	_, err := a.Exchange(Command{Instruction: insVerify, P2: ReferencePIN, Data: data})
	return err
}

// Generate makes a key pair in the slot and returns its public key (SP 800-73-4
// part 2 §3.3.2; the policies, as in Metadata, are Yubico's extension). The
// management key must be authenticated. It takes from a second to minutes.
func (a Applet) Generate(slot, algorithm, pinPolicy, touchPolicy byte) (crypto.PublicKey, error) {
	control := bertlv.Append(nil, 0x80, algorithm)
	control = bertlv.Append(control, 0xAA, pinPolicy)
	control = bertlv.Append(control, 0xAB, touchPolicy)
	response, err := a.Exchange(Command{Instruction: insGenerate, P2: slot, Data: bertlv.Append(nil, 0xAC, control...)})
	if err != nil {
		return nil, fmt.Errorf("generating key %02x: %w", slot, err)
	}
	data, err := bertlv.Find(response, 0x7F49)
	if err != nil {
		return nil, fmt.Errorf("generating key %02x: public key: %w", slot, err)
	}
	return ParsePublicKey(algorithm, data)
}

// MoveKey moves a private key from one slot to another, from firmware 5.7. The
// certificate objects stay. The management key must be authenticated.
func (a Applet) MoveKey(from, to byte) error {
	if _, err := a.Exchange(Command{Instruction: insMoveKey, P1: to, P2: from}); err != nil {
		return fmt.Errorf("moving key %02x to %02x: %w", from, to, err)
	}
	return nil
}

// Attest has the card sign a certificate for a key that was generated in the
// slot, and returns its DER (Yubico PIV extensions, firmware 4.3 and later).
// Empty slots and imported keys answer WrongData.
func (a Applet) Attest(slot byte) ([]byte, error) {
	response, err := a.Exchange(Command{Instruction: insAttest, P1: slot})
	if err != nil {
		return nil, fmt.Errorf("attesting slot %02x: %w", slot, err)
	}
	return response, nil
}
