//go:build cgo && linux

package piv_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

var (
	noPIN    secret.Secret
	wrongPIN = secret.FromString("000000")
)

func TestMalformedPINsNeverReachTheCard(t *testing.T) {
	d, virtual, card := single(t, "5.7.4")
	d.setFault(nil)
	short := secret.FromString("12345")
	for name, err := range map[string]error{
		"verify":      card.VerifyPIN(t.Context(), short),
		"change from": card.ChangePIN(t.Context(), short, secret.FromString("654321")),
		"change to":   card.ChangePIN(t.Context(), piv.FactoryPIN(), short),
		"PUK":         card.ChangePUK(t.Context(), piv.FactoryPUK(), short),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if d.sent() != 0 || virtual.Snapshot().PIN.Tries != 3 {
		t.Errorf("%d commands were sent, %d tries are left", d.sent(), virtual.Snapshot().PIN.Tries)
	}
}

func TestProtection(t *testing.T) {
	for _, firmware := range profiles() {
		t.Run(firmware, func(t *testing.T) {
			_, _, card := single(t, firmware)
			algorithm := map[string]string{"5.4.3": "3des", "5.7.4": "aes192"}[firmware]
			factory := piv.Counter{Tries: 3, Max: 3, Factory: piv.Yes}
			got, err := card.Protection(t.Context())
			if want := (piv.Protection{PIN: factory, PUK: factory, ManagementKey: piv.ManagementKey{Algorithm: algorithm, Factory: piv.Yes}}); err != nil || got != want {
				t.Errorf("new card: %+v, %v", got, err)
			}
			pin, puk := secret.FromString("738291"), secret.FromString("55501234")
			key, err := piv.NewManagementKey()
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(
				card.ChangePIN(t.Context(), piv.FactoryPIN(), pin),
				card.ChangePUK(t.Context(), piv.FactoryPUK(), puk),
				card.ChangeManagementKey(t.Context(), piv.FactoryManagementKey(), key),
				card.RefreshCHUID(t.Context(), key),
			); err != nil {
				t.Fatal(err)
			}
			changed := piv.Counter{Tries: 3, Max: 3, Factory: piv.No}
			got, err = card.Protection(t.Context())
			if want := (piv.Protection{PIN: changed, PUK: changed, ManagementKey: piv.ManagementKey{Algorithm: "aes192", Factory: piv.No}}); err != nil || got != want {
				t.Errorf("changed card: %+v, %v", got, err)
			}
			if err := errors.Join(card.VerifyPIN(t.Context(), pin), card.CheckManagementKey(t.Context(), key)); err != nil {
				t.Error(err)
			}
		})
	}
}

// reference is a PIN or PUK and what is done with it, by the old value.
type reference struct {
	name    string
	blocked error
	try     func(ctx context.Context, card *piv.Card, value secret.Secret) error
	tries   func(yubikey.Snapshot) int
	right   secret.Secret
}

func references() []reference {
	pinTries := func(s yubikey.Snapshot) int { return s.PIN.Tries }
	return []reference{
		{"PIN", piv.ErrPINBlocked, func(ctx context.Context, card *piv.Card, pin secret.Secret) error {
			return card.VerifyPIN(ctx, pin)
		}, pinTries, piv.FactoryPIN()},
		{"PIN", piv.ErrPINBlocked, func(ctx context.Context, card *piv.Card, pin secret.Secret) error {
			return card.ChangePIN(ctx, pin, secret.FromString("246813"))
		}, pinTries, piv.FactoryPIN()},
		{"PUK", piv.ErrPUKBlocked, func(ctx context.Context, card *piv.Card, puk secret.Secret) error {
			return card.ChangePUK(ctx, puk, secret.FromString("24681357"))
		}, func(s yubikey.Snapshot) int { return s.PUK.Tries }, piv.FactoryPUK()},
		{"PIN", piv.ErrPINBlocked, func(ctx context.Context, card *piv.Card, pin secret.Secret) error {
			slot := piv.SlotKeyManagement
			contents, err := card.Slot(ctx, slot)
			if err != nil {
				return err
			}
			_, err = card.Signer(ctx, slot, contents.Key.PublicKey, pin).Sign(nil, make([]byte, 32), sha256Options)
			return err
		}, pinTries, piv.FactoryPIN()},
	}
}

func TestTheLastTryIsNeverUsedUnasked(t *testing.T) {
	for _, firmware := range profiles() {
		for _, ref := range references() {
			t.Run(firmware, func(t *testing.T) {
				_, virtual, card := single(t, firmware)
				generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
				wrong := secret.FromString("99999998")
				for left := 2; left >= 1; left-- {
					var wrongPIN *piv.WrongPINError
					err := ref.try(t.Context(), card, wrong)
					if !errors.As(err, &wrongPIN) || wrongPIN.Tries != left || wrongPIN.Reference != ref.name {
						t.Fatalf("with %d left: %v", left, err)
					}
					canary(t, err, wrong)
				}
				for _, value := range []secret.Secret{wrong, ref.right} {
					var last *piv.LastTryError
					if err := ref.try(t.Context(), card, value); !errors.As(err, &last) || last.Reference != ref.name {
						t.Fatalf("the last try: %v", err)
					}
				}
				if got := ref.tries(virtual.Snapshot()); got != 1 {
					t.Fatalf("%d tries left, not 1", got)
				}
				if err := ref.try(t.Context(), card.AllowLastTry(), wrong); !errors.Is(err, ref.blocked) {
					t.Fatalf("a wrong last try: %v", err)
				}
				if err := ref.try(t.Context(), card.AllowLastTry(), ref.right); !errors.Is(err, ref.blocked) {
					t.Fatalf("blocked: %v", err)
				}
			})
		}
	}
}

func TestTheLastTryCanBeAllowed(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	for range 2 {
		card.VerifyPIN(t.Context(), secret.FromString("000000"))
	}
	if err := card.AllowLastTry().VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Fatal(err)
	}
	if got := virtual.Snapshot().PIN.Tries; got != 3 {
		t.Errorf("%d tries left, not 3", got)
	}
}

func TestWeakPIN(t *testing.T) {
	_, virtual, card := single(t, "5.7.4", func(c *yubikey.Config) { c.PINComplexity = true })
	if err := card.ChangePIN(t.Context(), piv.FactoryPIN(), secret.FromString("111111")); !errors.Is(err, piv.ErrWeakPIN) {
		t.Errorf("PIN: %v", err)
	}
	if err := card.ChangePUK(t.Context(), piv.FactoryPUK(), secret.FromString("11111111")); !errors.Is(err, piv.ErrWeakPIN) {
		t.Errorf("PUK: %v", err)
	}
	if s := virtual.Snapshot(); s.PIN.Value != "123456" || s.PIN.Tries != 3 || s.PUK.Tries != 3 {
		t.Errorf("the card has %+v", s.PIN)
	}
}

func TestManagementKey(t *testing.T) {
	for _, firmware := range profiles() {
		t.Run(firmware, func(t *testing.T) {
			_, virtual, card := single(t, firmware)
			wrong := secret.New(append(make([]byte, 23), 1))
			for name, err := range map[string]error{
				"check":       card.CheckManagementKey(t.Context(), wrong),
				"length":      card.CheckManagementKey(t.Context(), secret.New(make([]byte, 16))),
				"change":      card.ChangeManagementKey(t.Context(), wrong, piv.FactoryManagementKey()),
				"CHUID":       card.RefreshCHUID(t.Context(), wrong),
				"certificate": card.PutCertificate(t.Context(), wrong, piv.SlotSignature, selfSigned(t, 0)),
			} {
				if !errors.Is(err, piv.ErrManagementKey) {
					t.Errorf("%s: %v", name, err)
				}
			}
			options := piv.GenerateOptions{Algorithm: piv.ECCP256}
			for _, key := range []secret.Secret{wrong, secret.New(make([]byte, 16))} {
				if _, err := card.Generate(t.Context(), key, piv.SlotSignature, options); !errors.Is(err, piv.ErrManagementKey) {
					t.Errorf("generate: %v", err)
				}
			}
			if s := virtual.Snapshot(); !s.ManagementKey.Default || len(s.Objects[0x5FC10A]) != 0 {
				t.Errorf("something changed: %+v", s.ManagementKey)
			}
			if err := card.ChangeManagementKey(t.Context(), piv.FactoryManagementKey(), secret.New(make([]byte, 20))); err == nil || virtual.Snapshot().ManagementKey.Default == false {
				t.Errorf("a key of 20 bytes: %v", err)
			}
		})
	}
}
