package pcsc

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// maxTraced bounds how much of a command's or an answer's data is written, in bytes.
const maxTraced = 512

// shown are the instructions whose data may be written into a log, in both directions.
// What is not named here may carry a PIN, a PUK or a key.
var shown = []byte{
	insSelect, insGetData, insPutData, insGenerate, insVersion, insSerial,
	insMetadata, insMoveKey, insAttest, insReadConfig, insOTPStatus,
}

// Traced returns a Transmitter that writes each command to the card into the log at level
// debug: its header, how long command and answer are, and the status word. The data is
// written of instructions that carry no secret: never of one whose object is Printed
// Information, where Yubico's tools keep the management key, nor of the parts of a long
// command or answer, which do not say what they belong to.
func Traced(card Transmitter, log *slog.Logger) Transmitter {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return card
	}
	return &traced{card: card, log: log}
}

type traced struct {
	card    Transmitter
	log     *slog.Logger
	chained bool // the command before was a part of this one
}

// Transmit sends the command to the card, and writes it into the log.
func (t *traced) Transmit(command []byte) ([]byte, error) {
	began := time.Now()
	response, err := t.card.Transmit(command)
	attributes := []slog.Attr{slog.Int("command_bytes", len(command))}
	header, data := parseCommand(command)
	if len(header) == 4 {
		attributes = append(attributes, slog.String("instruction", fmt.Sprintf("%02X", header[1])),
			slog.String("p1", fmt.Sprintf("%02X", header[2])), slog.String("p2", fmt.Sprintf("%02X", header[3])))
	}
	whole := len(header) == 4 && header[0] == classFinal && !t.chained
	t.chained = len(header) == 4 && header[0] == classChained
	show := whole && slices.Contains(shown, header[1]) && !bytes.Contains(data, ObjectPrinted.tagList())
	if show && len(data) > 0 {
		attributes = append(attributes, slog.String("data", tracedHex(data)))
	}
	attributes = append(attributes, slog.Float64("seconds", time.Since(began).Seconds()))
	switch end := len(response) - 2; {
	case err != nil:
		attributes = append(attributes, slog.String("error", err.Error()))
	case end < 0:
		attributes = append(attributes, slog.Int("answer_bytes", len(response)))
	default:
		attributes = append(attributes, slog.String("status", fmt.Sprintf("%04X", response[end:])), slog.Int("answer_bytes", end))
		if show && end > 0 {
			attributes = append(attributes, slog.String("answer", tracedHex(response[:end])))
		}
	}
	t.log.LogAttrs(context.Background(), slog.LevelDebug, "card command", attributes...)
	return response, err
}

// parseCommand returns the four bytes that a command APDU begins with and its data (ISO/IEC
// 7816-4 §5.1), without Le: Applet sends none with data.
func parseCommand(command []byte) (header, data []byte) {
	if len(command) < 4 {
		return nil, nil
	}
	header, rest := command[:4], command[4:]
	switch {
	case len(rest) > 3 && rest[0] == 0:
		data = rest[3:]
	case len(rest) > 1:
		data = rest[1:]
	}
	return header, data
}

func tracedHex(data []byte) string {
	if len(data) > maxTraced {
		return hex.EncodeToString(data[:maxTraced]) + "…"
	}
	return hex.EncodeToString(data)
}
