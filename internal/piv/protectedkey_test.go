//go:build cgo && linux

package piv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// keyBehindPIN is a management key to be protected.
func keyBehindPIN() secret.Secret { return secret.New(bytes.Repeat([]byte{0xA1, 0xB2, 0xC3}, 8)) }

const (
	objectPrinted   = 0x5FC109
	objectAdminData = 0x5FFF00
)

// TestProtectedKeyIsNeverLost pulls the card before and after every command that protects a
// management key: each time it has the old key, or the PIN leads to the one that it has.
func TestProtectedKeyIsNeverLost(t *testing.T) {
	for _, firmware := range []string{"4.3.7", "5.4.3", "5.7.4"} {
		commands := 0
		for _, lost := range []bool{false, true} {
			for n := 0; n == 0 || n <= commands; n++ {
				t.Run(fmt.Sprintf("%s/%d of %d, carried out %v", firmware, n, commands, lost), func(t *testing.T) {
					d, virtual, card := single(t, firmware)
					d.setFault(func(at int, _ []byte) verdict {
						if at != n {
							return verdict{}
						}
						return verdict{Verdict: pcscd.Pulled, lost: lost}
					})
					err := card.ProtectManagementKey(t.Context(), piv.FactoryPIN(), piv.FactoryManagementKey(), keyBehindPIN())
					if n == 0 {
						commands = d.sent()
					}
					if (err == nil) != (n == 0) {
						t.Fatalf("error %v", err)
					}
					canary(t, err, keyBehindPIN())
					d.setFault(nil)
					if n > 0 {
						d.insert(0, virtual)
					}
					if err := card.CheckManagementKey(t.Context(), piv.FactoryManagementKey()); err == nil {
						// The same again ends it.
						if err := card.ProtectManagementKey(t.Context(), piv.FactoryPIN(), piv.FactoryManagementKey(), keyBehindPIN()); err != nil {
							t.Fatal(err)
						}
					}
					found, err := card.ProtectedManagementKey(t.Context(), piv.FactoryPIN())
					if err != nil || !found.Equal(keyBehindPIN()) {
						t.Fatalf("the PIN leads to %d bytes, %v", found.Len(), err)
					}
					if err := card.CheckManagementKey(t.Context(), found); err != nil {
						t.Error(err)
					}
					if data, err := card.AdminData(t.Context()); err != nil || !data.KeyStored || data.KeyDerived || data.PUKBlocked {
						t.Errorf("ADMIN DATA %+v, %v", data, err)
					}
					if got := virtual.Snapshot().Objects[objectAdminData]; !bytes.Equal(got, []byte{0x80, 0x03, 0x81, 0x01, 0x02}) {
						t.Errorf("ADMIN DATA is % X", got)
					}
				})
			}
		}
	}
}

// TestPrintedIsNotWrittenBlindly: what stands in PRINTED stays, is named, or is carried along.
func TestPrintedIsNotWrittenBlindly(t *testing.T) {
	for name, test := range map[string]struct {
		printed, admin []byte
		fields         []string // of what is refused
		want           []byte   // what PRINTED begins with afterwards
	}{
		"printed information": {printed: []byte{0x01, 0x03, 'A', 'd', 'a', 0x04, 0x09, '2', '0', '3', '0', 'D', 'E', 'C', '3', '1', 0xFE, 0x00}, fields: []string{"name", "expiration date"}},
		"nobody's":            {printed: []byte{0xC1, 0x01, 0x00}, fields: []string{}},
		"not TLV":             {printed: []byte{0x88, 0x20, 0x01}, fields: []string{}},
		"another tool's too":  {printed: []byte{0x88, 0x03, 0x8A, 0x01, 0x07}, want: []byte{0x88, 0x1D, 0x8A, 0x01, 0x07, 0x89, 0x18}},
		"a stale key":         {printed: append([]byte{0x88, 0x12, 0x89, 0x10}, make([]byte, 16)...), want: []byte{0x88, 0x1A, 0x89, 0x18}},
		"flags and a time":    {admin: []byte{0x80, 0x09, 0x81, 0x01, 0x01, 0x83, 0x04, 1, 2, 3, 4}, want: []byte{0x88, 0x1A, 0x89, 0x18}},
	} {
		t.Run(name, func(t *testing.T) {
			objects := map[uint32][]byte{}
			if test.printed != nil {
				objects[objectPrinted] = test.printed
			}
			if test.admin != nil {
				objects[objectAdminData] = test.admin
			}
			pin := secret.FromString("246802")
			contents := &yubikey.Contents{PIN: "246802", PUK: "13579135", ManagementKey: bytes.Repeat([]byte{0xAB}, 24), Objects: objects}
			_, virtual, card := single(t, "5.7.4", func(c *yubikey.Config) { c.Contents = contents })
			before := virtual.Snapshot()
			old := secret.New(contents.ManagementKey)
			check := card.CheckPrinted(t.Context(), pin)
			err := card.ProtectManagementKey(t.Context(), pin, old, keyBehindPIN())
			after := virtual.Snapshot()
			if test.fields == nil {
				if err != nil || check != nil || !bytes.HasPrefix(after.Objects[objectPrinted], test.want) {
					t.Errorf("%v, %v: PRINTED is % X", check, err, after.Objects[objectPrinted])
				}
				if test.admin != nil && !bytes.Equal(after.Objects[objectAdminData], []byte{0x80, 0x09, 0x81, 0x01, 0x03, 0x83, 0x04, 1, 2, 3, 4}) {
					t.Errorf("ADMIN DATA is % X", after.Objects[objectAdminData])
				}
				return
			}
			var foreign *piv.PrintedError
			if !errors.As(err, &foreign) || !slices.Equal(append([]string{}, foreign.Fields...), test.fields) || !errors.As(check, &foreign) {
				t.Errorf("%v, and ahead %v", err, check)
			}
			if !bytes.Equal(after.Objects[objectPrinted], before.Objects[objectPrinted]) || !bytes.Equal(after.ManagementKey.Value, before.ManagementKey.Value) {
				t.Error("the card was changed")
			}
		})
	}
}

// TestProtectingAgain: the key that is protected is not written over by another one.
func TestProtectingAgain(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	if err := card.ProtectManagementKey(t.Context(), piv.FactoryPIN(), piv.FactoryManagementKey(), keyBehindPIN()); err != nil {
		t.Fatal(err)
	}
	before := virtual.Snapshot().Objects
	if err := card.ProtectManagementKey(t.Context(), piv.FactoryPIN(), keyBehindPIN(), secret.New(make([]byte, 24))); !errors.Is(err, piv.ErrKeyProtected) {
		t.Errorf("error %v", err)
	}
	if err := card.ProtectManagementKey(t.Context(), piv.FactoryPIN(), keyBehindPIN(), keyBehindPIN()); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if !bytes.Equal(before[objectPrinted], virtual.Snapshot().Objects[objectPrinted]) {
		t.Error("PRINTED was changed")
	}
}

// TestNoProtectedKey: a wrong PIN and a card without one are told apart.
func TestNoProtectedKey(t *testing.T) {
	_, _, card := single(t, "5.7.4")
	if _, err := card.ProtectedManagementKey(t.Context(), piv.FactoryPIN()); !errors.Is(err, piv.ErrNoProtectedKey) {
		t.Errorf("error %v", err)
	}
	var wrong *piv.WrongPINError
	if _, err := card.ProtectedManagementKey(t.Context(), secret.FromString("111222")); !errors.As(err, &wrong) || wrong.Tries != 2 {
		t.Errorf("error %v", err)
	}
	if data, err := card.AdminData(t.Context()); err != nil || data != (piv.AdminData{}) {
		t.Errorf("ADMIN DATA %+v, %v", data, err)
	}
}

// ykman runs Debian's on the card in the reader.
func ykman(t *testing.T, arguments ...string) string {
	t.Helper()
	testenv.Program(t, "ykman")
	command := exec.CommandContext(t.Context(), "ykman", arguments...)
	command.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("ykman %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// TestYkmanReadsOurProtectedKey: ykman needs the PIN alone for what takes the management key.
func TestYkmanReadsOurProtectedKey(t *testing.T) {
	for firmware, key := range map[string]secret.Secret{
		"5.2.7": keyBehindPIN(),
		"5.4.3": piv.FactoryManagementKey(), // still 3DES: ykman 4.0 knows no AES
	} {
		t.Run(firmware, func(t *testing.T) {
			_, virtual, card := single(t, firmware)
			if err := card.ProtectManagementKey(t.Context(), piv.FactoryPIN(), piv.FactoryManagementKey(), key); err != nil {
				t.Fatal(err)
			}
			disconnect(t, card)
			if out := ykman(t, "piv", "info"); !strings.Contains(out, "Management key is stored on the YubiKey, protected by PIN") {
				t.Errorf("ykman says:\n%s", out)
			}
			ykman(t, "piv", "keys", "generate", "-P", "123456", "-a", "ECCP256", "9a", os.DevNull)
			if _, there := virtual.Snapshot().Slots[0x9A]; !there {
				t.Error("ykman made no key")
			}
		})
	}
}

// TestYkmanProtectedKeyIsRead: of a card that ykman protected the PIN leads to the key.
func TestYkmanProtectedKeyIsRead(t *testing.T) {
	_, virtual, card := single(t, "5.4.3")
	ykman(t, "piv", "access", "change-management-key", "-m", hex.EncodeToString(piv.FactoryManagementKey().Reveal()), "-P", "123456", "--protect")
	if data, err := card.AdminData(t.Context()); err != nil || !data.PINProtected() {
		t.Errorf("ADMIN DATA %+v, %v", data, err)
	}
	key, err := card.ProtectedManagementKey(t.Context(), piv.FactoryPIN())
	if err != nil || !key.Equal(secret.New(virtual.Snapshot().ManagementKey.Value)) {
		t.Fatalf("a key of %d bytes, %v", key.Len(), err)
	}
	if err := card.CheckManagementKey(t.Context(), key); err != nil {
		t.Error(err)
	}
}

// TestDerivedKey is of ykman until version 2: PBKDF2 with HMAC-SHA-1 of the PIN. The key was
// computed with Python's hashlib.
func TestDerivedKey(t *testing.T) {
	key, err := hex.DecodeString("6b521341ac8b2cca3246dae1265856811935ae3f0de1063f")
	if err != nil {
		t.Fatal(err)
	}
	admin := append([]byte{0x80, 0x12, 0x82, 0x10}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	contents := &yubikey.Contents{PIN: "246802", PUK: "13579135", ManagementKey: key, Objects: map[uint32][]byte{objectAdminData: admin}}
	_, virtual, card := single(t, "5.2.7", func(c *yubikey.Config) { c.Contents = contents })
	if data, err := card.AdminData(t.Context()); err != nil || data != (piv.AdminData{KeyDerived: true}) {
		t.Errorf("ADMIN DATA %+v, %v", data, err)
	}
	pin := secret.FromString("246802")
	found, err := card.ProtectedManagementKey(t.Context(), pin)
	if err != nil || !found.Equal(secret.New(key)) {
		t.Fatalf("a key of %d bytes, %v", found.Len(), err)
	}
	// Where it is replaced by one that is stored, the salt goes.
	if err := card.ProtectManagementKey(t.Context(), pin, found, keyBehindPIN()); err != nil {
		t.Fatal(err)
	}
	if got := virtual.Snapshot().Objects[objectAdminData]; !bytes.Equal(got, []byte{0x80, 0x03, 0x81, 0x01, 0x02}) {
		t.Errorf("ADMIN DATA is % X", got)
	}
}
