package pcsc

import (
	"errors"
	"fmt"
	"slices"
)

// Transmitter sends one command APDU as it is and returns the response APDU
// with its status word. *Card is one.
type Transmitter interface {
	Transmit(command []byte) ([]byte, error)
}

// Command is a command APDU before it is cut for the wire (ISO/IEC 7816-4 §5).
type Command struct {
	Instruction byte
	P1, P2      byte
	Data        []byte // of any length
}

const (
	classFinal     = 0x00
	classChained   = 0x10 // more of this command follows, ISO/IEC 7816-4 §5.4.1
	insGetResponse = 0xC0
	maxShortData   = 255
)

// What an answer may take. The largest object of a PIV card, with its framing,
// has some 3 KB, and comes in 13 parts of 256 bytes at most.
const (
	maxAnswer = 16 << 10 // bytes of response data
	maxParts  = 128      // commands GET RESPONSE
)

// ErrEndless is an answer that is longer than any that a PIV card gives: the
// card is broken, or means harm.
var ErrEndless = errors.New("the card's answer does not end")

// Exchange sends the command, collects the parts of the response (61xx), repeats
// with the length that the card asks for (6Cxx), and returns the response data.
// A command that is too long for one APDU goes out in as many short ones as it
// takes. Any other status word than 9000 is returned as a Status. ErrEndless
// where the answer exceeds its bounds.
func (a Applet) Exchange(command Command) ([]byte, error) {
	apdus := a.encode(command)
	defer func() { // there may be a secret in them
		for _, apdu := range apdus {
			clear(apdu)
		}
	}()
	last := apdus[len(apdus)-1]
	for _, apdu := range apdus[:len(apdus)-1] {
		_, status, err := send(a.Card, apdu)
		if err != nil {
			return nil, err
		}
		if status != success {
			return nil, status
		}
	}
	response, status, err := send(a.Card, last)
	if err == nil && status&0xFF00 == moreIfAsked && len(command.Data) == 0 {
		last[len(last)-1] = byte(status)
		response, status, err = send(a.Card, last)
	}
	for parts := 0; err == nil && status&0xFF00 == moreData; parts++ {
		if parts == maxParts || len(response) > maxAnswer {
			return nil, fmt.Errorf("%w (command %02X)", ErrEndless, command.Instruction)
		}
		var part []byte
		part, status, err = send(a.Card, []byte{classFinal, insGetResponse, 0, 0, byte(status)})
		response = append(response, part...)
	}
	switch {
	case err != nil:
		return nil, err
	case status != success:
		return nil, status
	case len(response) > maxAnswer:
		return nil, fmt.Errorf("%w (command %02X)", ErrEndless, command.Instruction)
	}
	return response, nil
}

// encode returns the APDUs that carry the command: an extended one where the
// card takes it, else short ones, chained.
func (a Applet) encode(command Command) [][]byte {
	header := []byte{classFinal, command.Instruction, command.P1, command.P2}
	data := command.Data
	// Without Le: a YubiKey sends back what it has, as Yubico's own tools expect.
	// Without data, what stands in the place of Lc is Le, 0 for the most.
	if extended := slices.Concat(header, []byte{0, byte(len(data) >> 8), byte(len(data))}, data); len(extended) <= a.MaxExtended {
		return [][]byte{extended}
	}
	var apdus [][]byte
	for len(data) > maxShortData {
		apdus = append(apdus, slices.Concat([]byte{classChained}, header[1:], []byte{maxShortData}, data[:maxShortData]))
		data = data[maxShortData:]
	}
	return append(apdus, slices.Concat(header, []byte{byte(len(data))}, data))
}

func send(card Transmitter, command []byte) ([]byte, Status, error) {
	response, err := card.Transmit(command)
	if err != nil {
		return nil, 0, err
	}
	if len(response) < 2 {
		return nil, 0, fmt.Errorf("the card answered %d bytes, a status word takes 2", len(response))
	}
	end := len(response) - 2
	return response[:end:end], Status(uint16(response[end])<<8 | uint16(response[end+1])), nil
}
