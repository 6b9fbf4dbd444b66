//go:build cgo

package ca

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"
)

// TestLastTry: no PIN is given to a token that would lock itself after it.
func TestLastTry(t *testing.T) {
	for _, flags := range []uint{0, pkcs11.CKF_LOGIN_REQUIRED, pkcs11.CKF_USER_PIN_COUNT_LOW, pkcs11.CKF_SO_PIN_FINAL_TRY} {
		if err := triesOf(flags); err != nil {
			t.Errorf("%#x: %v", flags, err)
		}
	}
	if err := triesOf(pkcs11.CKF_USER_PIN_COUNT_LOW | pkcs11.CKF_USER_PIN_FINAL_TRY); !errors.Is(err, ErrLastTry) {
		t.Error(err)
	}
	if err := triesOf(pkcs11.CKF_USER_PIN_LOCKED); err == nil || errors.Is(err, ErrLastTry) {
		t.Error(err)
	}
	info := pkcs11.TokenInfo{Label: "The CA   ", SerialNumber: "0a"}
	for query, want := range map[string]bool{"": true, "token=The+CA": true, "token=CA": false, "serial=0a": true, "slot-id=7": true, "slot-id=8&token=The+CA": false} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := isToken(values, 7, info); got != want {
			t.Errorf("%s: %t", query, got)
		}
	}
	if err := checkTries(url.Values{"module-path": {"/missing/module.so"}}); err == nil || !strings.Contains(err.Error(), "/missing/module.so cannot be loaded") {
		t.Error(err)
	}
}
