package pcsc

import (
	"bytes"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// noReference is what no PIN or PUK is: padding alone (SP 800-73-4 part 2 §2.4.3).
func noReference() []byte { return bytes.Repeat([]byte{0xFF}, 8) }

// MissPIN gives the card what cannot be its PIN, which takes one of the PIN's tries. The answer is
// a Status with Tries.
func (a Applet) MissPIN() error {
	_, err := a.Exchange(Command{Instruction: insVerify, P2: ReferencePIN, Data: noReference()})
	return err
}

// MissPUK gives the card what cannot be its PUK (RESET RETRY COUNTER, SP 800-73-4 part 2 §3.2.3),
// which takes one of the PUK's tries. The answer is a Status with Tries.
func (a Applet) MissPUK() error {
	_, err := a.Exchange(Command{Instruction: insResetRetryCounter, P2: ReferencePIN, Data: append(noReference(), noReference()...)})
	return err
}

// Reset brings the PIV application back to as it left the factory, but for the key in slot F9 and
// its certificate (Yubico PIV extensions, RESET). PIN and PUK must be blocked, or the card answers
// ConditionsNotMet.
func (a Applet) Reset() error {
	if _, err := a.Exchange(Command{Instruction: insReset}); err != nil {
		return fmt.Errorf("resetting the PIV application: %w", err)
	}
	return nil
}

// SetRetries sets how many tries PIN and PUK have, and both to their factory values (Yubico PIV
// extensions, SET PIN RETRIES). The management key must be authenticated and the PIN verified.
func (a Applet) SetRetries(pin, puk byte) error {
	if _, err := a.Exchange(Command{Instruction: insSetRetries, P1: pin, P2: puk}); err != nil {
		return fmt.Errorf("setting the numbers of tries: %w", err)
	}
	return nil
}

// ImportKey puts a private key into the slot, of which the parts are those of Yubico's PIV
// extensions, IMPORT ASYMMETRIC KEY: for RSA p, q, dp, dq and qinv in tags 01 to 05, for an elliptic
// curve the scalar in tag 06. The policies are as in Generate. The management key must be
// authenticated.
func (a Applet) ImportKey(slot, algorithm, pinPolicy, touchPolicy byte, parts []bertlv.Element) error {
	var data []byte
	for _, part := range parts {
		data = bertlv.Append(data, part.Tag, part.Value...)
	}
	data = bertlv.Append(data, 0xAA, pinPolicy)
	data = bertlv.Append(data, 0xAB, touchPolicy)
	defer clear(data)
	if _, err := a.Exchange(Command{Instruction: insImportKey, P1: algorithm, P2: slot, Data: data}); err != nil {
		return fmt.Errorf("importing key %02x: %w", slot, err)
	}
	return nil
}
