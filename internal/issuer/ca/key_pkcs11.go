//go:build cgo

package ca

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/miekg/pkcs11"
)

// hasPKCS11 tells whether modules can be loaded, which are libraries in C.
const hasPKCS11 = true

// checkTries returns [ErrLastTry] where the token that a URI names would take one more wrong
// PIN, and an error where it takes none at all. A token that is not there is nobody's concern
// here.
func checkTries(values url.Values) error {
	module := cmp.Or(values.Get("module-path"), "p11-kit-proxy.so") // as the library has it
	loaded := pkcs11.New(module)
	if loaded == nil {
		return fmt.Errorf("the PKCS#11 module %s cannot be loaded", module)
	}
	defer loaded.Destroy()
	switch err := loaded.Initialize(); {
	case err == nil:
		defer func() { _ = loaded.Finalize() }()
	case !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)): // for another key
		return fmt.Errorf("the PKCS#11 module %s: %w", module, err)
	}
	slots, err := loaded.GetSlotList(true)
	if err != nil {
		return fmt.Errorf("the PKCS#11 module %s: %w", module, err)
	}
	for _, slot := range slots {
		info, err := loaded.GetTokenInfo(slot)
		if err == nil && isToken(values, slot, info) {
			return triesOf(info.Flags)
		}
	}
	return nil
}

// isToken tells the token that a URI names.
func isToken(values url.Values, slot uint, info pkcs11.TokenInfo) bool {
	is := func(name, value string) bool {
		wanted := values.Get(name)
		return wanted == "" || wanted == strings.TrimRight(value, " \x00")
	}
	return is("token", info.Label) && is("serial", info.SerialNumber) && is("slot-id", strconv.FormatUint(uint64(slot), 10))
}

// triesOf reads what a token says of its user's PIN (PKCS#11 version 2.40, section 3.2).
func triesOf(flags uint) error {
	switch {
	case flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
		return errors.New("the token's PIN is locked: its own software sets a new one")
	case flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
		return ErrLastTry
	}
	return nil
}
