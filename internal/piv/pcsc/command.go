package pcsc

import (
	"fmt"
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
	Data        []byte // of any length; chained where it exceeds 255 bytes
}

const (
	classFinal       = 0x00
	classChained     = 0x10 // more of this command follows, ISO/IEC 7816-4 §5.4.1
	insGetResponse   = 0xC0
	maxShortData     = 255
	maxResponseTotal = 1 << 16
)

// Exchange sends the command in as many short APDUs as it takes, collects the
// parts of the response (61xx), repeats with the length that the card asks for
// (6Cxx), and returns the response data. Any other status word than 9000 is
// returned as a Status.
func Exchange(card Transmitter, command Command) ([]byte, error) {
	header := []byte{classFinal, command.Instruction, command.P1, command.P2}
	data := command.Data
	for len(data) > maxShortData {
		part := append([]byte{classChained, command.Instruction, command.P1, command.P2, maxShortData}, data[:maxShortData]...)
		_, status, err := send(card, part)
		if err != nil {
			return nil, err
		}
		if status != success {
			return nil, status
		}
		data = data[maxShortData:]
	}
	last := append(header, byte(len(data)))
	last = append(last, data...)
	response, status, err := send(card, last)
	if err == nil && status&0xFF00 == moreIfAsked && len(data) == 0 {
		last[4] = byte(status)
		response, status, err = send(card, last)
	}
	if err != nil {
		return nil, err
	}
	for status&0xFF00 == moreData {
		var part []byte
		part, status, err = send(card, []byte{classFinal, insGetResponse, 0, 0, byte(status)})
		if err != nil {
			return nil, err
		}
		response = append(response, part...)
		if len(response) > maxResponseTotal {
			return nil, fmt.Errorf("the card's answer to command %02X does not end", command.Instruction)
		}
		if len(part) == 0 && status&0xFF00 == moreData {
			return nil, fmt.Errorf("the card announces more data and sends none")
		}
	}
	if status != success {
		return nil, status
	}
	return response, nil
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
