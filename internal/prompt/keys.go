package prompt

import (
	"errors"
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// Keys that a raw terminal leaves to us, by their control characters.
const (
	keyInterrupt = 'C' & 0x1f
	keyEnd       = 'D' & 0x1f
	keyEscape    = 0x1b
)

// editingKeys are the keys that edit a line, by their control characters.
var editingKeys = map[byte]secret.Key{
	'A' & 0x1f: secret.Home, 'B' & 0x1f: secret.Left, 'D' & 0x1f: secret.Delete, 'E' & 0x1f: secret.End, 'F' & 0x1f: secret.Right,
	'H' & 0x1f: secret.Backspace, 0x7f: secret.Backspace, 'K' & 0x1f: secret.ClearToEnd, 'U' & 0x1f: secret.Clear, 'W' & 0x1f: secret.Clear,
}

// escapedKeys are the same by the control sequences that terminals send for them
// (ECMA-48 section 5.4, and what xterm and the Linux console make of it).
var escapedKeys = map[string]secret.Key{
	"C": secret.Right, "D": secret.Left, "H": secret.Home, "F": secret.End,
	"1~": secret.Home, "7~": secret.Home, "4~": secret.End, "8~": secret.End, "3~": secret.Delete,
}

// readSecret reads a secret from a raw terminal, up to Enter. Other keys than those
// that edit it or end it do nothing: nobody would see what became of them.
func readSecret(in io.Reader) (secret.Secret, error) {
	var field secret.Field
	for {
		key, err := readByte(in)
		if err == nil && key == keyEscape {
			if key, err = readEscaped(in, &field); err == nil && key == 0 {
				continue
			}
		}
		edit, edits := editingKeys[key]
		switch {
		case errors.Is(err, io.EOF) && !field.Text().IsZero():
			return field.Text(), nil
		case errors.Is(err, io.EOF), err == nil && key == keyEnd && field.Text().IsZero():
			return secret.Secret{}, ErrEndOfInput
		case err != nil:
			return secret.Secret{}, err
		case key == '\r', key == '\n':
			return field.Text(), nil
		case key == keyInterrupt:
			return secret.Secret{}, errInterrupted
		case edits:
			field.Press(edit)
		case key >= ' ' && !field.Insert([]byte{key}, maxLine):
			return secret.Secret{}, fmt.Errorf("it is longer than %d bytes", maxLine)
		}
	}
}

// readEscaped does what the control sequence after an escape character means. Where
// none follows it returns the next key.
func readEscaped(in io.Reader, field *secret.Field) (key byte, err error) {
	introducer, err := readByte(in)
	if err != nil || introducer != '[' && introducer != 'O' {
		return introducer, err
	}
	var sequence []byte
	for len(sequence) == 0 || sequence[len(sequence)-1] < '@' { // the final byte
		if key, err = readByte(in); err != nil || key < ' ' {
			return key, err
		}
		sequence = append(sequence, key)
	}
	if edit, known := escapedKeys[string(sequence)]; known {
		field.Press(edit)
	}
	return 0, nil
}

// readByte reads one byte: no buffer keeps a secret.
func readByte(in io.Reader) (byte, error) {
	for one := make([]byte, 1); ; {
		n, err := in.Read(one)
		if n > 0 || err != nil {
			if n > 0 {
				err = nil
			}
			return one[0], err
		}
	}
}
