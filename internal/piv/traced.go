package piv

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"fmt"
	"log/slog"
)

// tracedKey writes what piv-go does with the card into the log. Its commands travel past
// pcsc.Traced, so they are written by what they are for, and never with their data.
type tracedKey struct {
	yubikey
	log *slog.Logger
}

func traceKey(key yubikey, log *slog.Logger) yubikey {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return key
	}
	return tracedKey{key, log}
}

// tracePIVGo writes that piv-go carried something out, and how it ended.
func tracePIVGo(log *slog.Logger, operation string, err error, attributes ...any) {
	if status, answered := statusOf(err); answered {
		attributes = append(attributes, "status", fmt.Sprintf("%04X", uint16(status)))
	} else if err != nil {
		attributes = append(attributes, "error", err.Error())
	}
	log.Debug("card operation", append([]any{"operation", operation}, attributes...)...)
}

func (k tracedKey) changePIN(old, new []byte) error {
	err := k.yubikey.changePIN(old, new)
	tracePIVGo(k.log, "CHANGE REFERENCE DATA (PIN)", err)
	return err
}

func (k tracedKey) changePUK(old, new []byte) error {
	err := k.yubikey.changePUK(old, new)
	tracePIVGo(k.log, "CHANGE REFERENCE DATA (PUK)", err)
	return err
}

func (k tracedKey) unblockPIN(puk, new []byte) error {
	err := k.yubikey.unblockPIN(puk, new)
	tracePIVGo(k.log, "RESET RETRY COUNTER", err)
	return err
}

func (k tracedKey) sign(slot Slot, public crypto.PublicKey, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	signature, err := k.yubikey.sign(slot, public, digest, options)
	tracePIVGo(k.log, "GENERAL AUTHENTICATE (sign)", err, "slot", slot.String())
	return signature, err
}

func (k tracedKey) decrypt(slot Slot, public crypto.PublicKey, ciphertext []byte) ([]byte, error) {
	plain, err := k.yubikey.decrypt(slot, public, ciphertext)
	tracePIVGo(k.log, "GENERAL AUTHENTICATE (decrypt)", err, "slot", slot.String())
	return plain, err
}

func (k tracedKey) ecdh(slot Slot, public crypto.PublicKey, peer *ecdh.PublicKey) ([]byte, error) {
	shared, err := k.yubikey.ecdh(slot, public, peer)
	tracePIVGo(k.log, "GENERAL AUTHENTICATE (key agreement)", err, "slot", slot.String())
	return shared, err
}
