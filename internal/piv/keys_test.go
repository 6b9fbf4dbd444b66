//go:build cgo && linux

package piv_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

const sha256Options = crypto.SHA256

func generate(t *testing.T, card *piv.Card, slot piv.Slot, algorithm piv.Algorithm) crypto.PublicKey {
	t.Helper()
	public, err := card.Generate(t.Context(), piv.FactoryManagementKey(), slot, piv.GenerateOptions{Algorithm: algorithm})
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// selfSigned returns a certificate with that many bytes of ballast, which does
// not compress where it is random.
func selfSigned(t *testing.T, ballast int, random ...byte) *x509.Certificate {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	filler := bytes.Repeat([]byte{0x55}, ballast)
	copy(filler, random)
	template := &x509.Certificate{
		SerialNumber:    big.NewInt(1),
		Subject:         pkix.Name{CommonName: "practice"},
		NotAfter:        time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC),
		ExtraExtensions: []pkix.Extension{{Id: []int{2, 999, 1}, Value: filler}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestGenerateUseAndAttestEveryAlgorithm(t *testing.T) {
	for _, firmware := range profiles() {
		t.Run(firmware, func(t *testing.T) {
			_, _, card := single(t, firmware)
			for _, algorithm := range piv.Algorithms() {
				t.Run(string(algorithm), func(t *testing.T) {
					slot := piv.SlotKeyManagement
					if piv.Supports(card.Identity().Firmware, algorithm) != nil {
						var unsupported *piv.UnsupportedError
						_, err := card.Generate(t.Context(), piv.FactoryManagementKey(), slot, piv.GenerateOptions{Algorithm: algorithm})
						if !errors.As(err, &unsupported) {
							t.Fatalf("got %v", err)
						}
						return
					}
					public := generate(t, card, slot, algorithm)
					if got, ok := piv.AlgorithmOf(public); !ok || got != algorithm {
						t.Errorf("the public key is %s", got)
					}
					contents, err := card.Slot(t.Context(), slot)
					if err != nil || contents.Key == nil {
						t.Fatalf("%+v, %v", contents, err)
					}
					key := *contents.Key
					if key.Algorithm != algorithm || key.Origin != piv.Generated || key.PINPolicy != piv.PINOnce || key.TouchPolicy != piv.TouchNever {
						t.Errorf("key: %+v", key)
					}
					if !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.PublicKey) {
						t.Error("the slot's public key is another")
					}
					use(t, card, slot, public)
					attested, device, err := card.Attest(t.Context(), slot)
					if err != nil {
						t.Fatal(err)
					}
					if err := attested.CheckSignatureFrom(device); err != nil {
						t.Errorf("attestation: %v", err)
					}
					if got := attested.Subject.CommonName; got != "YubiKey PIV Attestation 9d" {
						t.Errorf("attested as %q", got)
					}
				})
			}
		})
	}
}

// use signs, decrypts and agrees on a secret with the key, as far as it can.
func use(t *testing.T, card *piv.Card, slot piv.Slot, public crypto.PublicKey) {
	t.Helper()
	ctx, pin := t.Context(), piv.FactoryPIN()
	signer := card.Signer(ctx, slot, public, pin)
	message := []byte("a message")
	short, long := sha256.Sum256(message), sha512.Sum512(message)
	switch key := public.(type) {
	case *rsa.PublicKey:
		signature, err := signer.Sign(nil, short[:], crypto.SHA256)
		if err == nil {
			err = rsa.VerifyPKCS1v15(key, crypto.SHA256, short[:], signature)
		}
		if err != nil {
			t.Errorf("PKCS#1 v1.5: %v", err)
		}
		pss := &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		signature, err = signer.Sign(nil, short[:], pss)
		if err == nil {
			err = rsa.VerifyPSS(key, crypto.SHA256, short[:], signature, pss)
		}
		if err != nil {
			t.Errorf("PSS: %v", err)
		}
		//lint:ignore SA1019 the only padding that piv-go takes off
		ciphertext, err := rsa.EncryptPKCS1v15(rand.Reader, key, message)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := card.Decrypt(ctx, slot, public, pin, ciphertext); err != nil || !bytes.Equal(plain, message) {
			t.Errorf("decrypted %q, %v", plain, err)
		}
	case *ecdsa.PublicKey:
		for _, digest := range [][]byte{short[:], long[:]} {
			signature, err := signer.Sign(nil, digest, crypto.SHA256)
			if err != nil || !ecdsa.VerifyASN1(key, digest, signature) {
				t.Errorf("ECDSA with a digest of %d bytes: %v", len(digest), err)
			}
		}
		point, err := key.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		agree(t, card, slot, public, point)
	case ed25519.PublicKey:
		signature, err := signer.Sign(nil, message, crypto.Hash(0))
		if err != nil || !ed25519.Verify(key, message, signature) {
			t.Errorf("Ed25519: %v", err)
		}
	case *ecdh.PublicKey:
		agree(t, card, slot, public, key)
		if _, err := signer.Sign(nil, short[:], crypto.SHA256); err == nil {
			t.Error("X25519 signs")
		}
	}
}

func agree(t *testing.T, card *piv.Card, slot piv.Slot, public crypto.PublicKey, point *ecdh.PublicKey) {
	t.Helper()
	peer, err := point.Curve().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := peer.ECDH(point)
	if err != nil {
		t.Fatal(err)
	}
	got, err := card.ECDH(t.Context(), slot, public, piv.FactoryPIN(), peer.PublicKey())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("ECDH: %v", err)
	}
}

func TestPoliciesAreSetAndEnforced(t *testing.T) {
	_, virtual, card := single(t, "5.7.4")
	for _, test := range []struct {
		slot          piv.Slot
		pin           piv.PINPolicy
		touch         piv.TouchPolicy
		pins, touches string
	}{
		{piv.SlotSignature, "", "", "always", "never"},
		{piv.SlotKeyManagement, piv.PINDefault, piv.TouchDefault, "once", "never"},
		{piv.SlotCardAuthentication, piv.PINDefault, piv.TouchCached, "never", "cached"},
		{piv.SlotAuthentication, piv.PINNever, piv.TouchAlways, "never", "always"},
		{piv.SlotRetiredFirst, piv.PINAlways, piv.TouchNever, "always", "never"},
	} {
		options := piv.GenerateOptions{Algorithm: piv.ECCP256, PINPolicy: test.pin, TouchPolicy: test.touch}
		public, err := card.Generate(t.Context(), piv.FactoryManagementKey(), test.slot, options)
		if err != nil {
			t.Fatal(err)
		}
		got := virtual.Snapshot().Slots[byte(test.slot)]
		if got.PINPolicy != test.pins || got.TouchPolicy != test.touches {
			t.Errorf("slot %s: %+v", test.slot, got)
		}
		virtual.Reset() // it forgets what was verified before
		digest := make([]byte, 32)
		_, err = card.Signer(t.Context(), test.slot, public, secret.Secret{}).Sign(nil, digest, crypto.SHA256)
		if asks := test.pins != "never"; asks != errors.Is(err, piv.ErrPINRequired) || !asks && err != nil {
			t.Errorf("slot %s without a PIN: %v", test.slot, err)
		}
		if _, err := card.Signer(t.Context(), test.slot, public, piv.FactoryPIN()).Sign(nil, digest, crypto.SHA256); err != nil {
			t.Errorf("slot %s with the PIN: %v", test.slot, err)
		}
	}
	if _, err := card.Generate(t.Context(), piv.FactoryManagementKey(), piv.SlotSignature, piv.GenerateOptions{Algorithm: piv.ECCP256, PINPolicy: "sometimes"}); err == nil {
		t.Error("an unknown PIN policy is accepted")
	}
}

func TestEmptySlotsAndOtherKeys(t *testing.T) {
	for _, firmware := range profiles() {
		t.Run(firmware, func(t *testing.T) {
			_, _, card := single(t, firmware)
			slot := piv.SlotRetiredLast
			contents, err := card.Slot(t.Context(), slot)
			if err != nil || !contents.Empty() || contents.Slot != slot {
				t.Errorf("an empty slot has %+v, %v", contents, err)
			}
			if _, _, err := card.Attest(t.Context(), slot); !errors.Is(err, piv.ErrNotAttestable) || !errors.Is(err, piv.ErrEmptySlot) {
				t.Errorf("attest: %v", err)
			}
			other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := card.Signer(t.Context(), slot, other.Public(), piv.FactoryPIN()).Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, piv.ErrEmptySlot) {
				t.Errorf("sign: %v", err)
			}
			generate(t, card, slot, piv.ECCP256)
			if _, err := card.Signer(t.Context(), slot, other.Public(), piv.FactoryPIN()).Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, piv.ErrKeyMismatch) {
				t.Errorf("sign with another key's public half: %v", err)
			}
			if _, err := card.Slot(t.Context(), 0x9B); err == nil {
				t.Error("9b is a slot")
			}
		})
	}
}

func TestTouchIsAskedForOnlyWhenItIsWaitedFor(t *testing.T) {
	finger := make(chan bool, 1)
	d := newDesk(t, 1)
	d.insert(0, newCard(t, serial, "5.7.4", func(c *yubikey.Config) { c.Touch = func(byte) bool { return <-finger } }))
	var asked []piv.Slot
	answer := true
	touching := func(delay time.Duration) *piv.Card {
		options := quick()
		options.TouchDelay = delay
		options.OnTouch = func(slot piv.Slot) { asked = append(asked, slot); finger <- answer }
		return open(t, serial, options)
	}
	patient, hasty := touching(time.Hour), touching(time.Millisecond)
	public, err := patient.Generate(t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, piv.GenerateOptions{Algorithm: piv.ECCP256, TouchPolicy: piv.TouchAlways})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(card *piv.Card) error {
		_, err := card.Signer(t.Context(), piv.SlotKeyManagement, public, piv.FactoryPIN()).Sign(nil, make([]byte, 32), crypto.SHA256)
		disconnect(t, card)
		return err
	}
	finger <- true // touched before anybody had to be asked
	if err := sign(patient); err != nil || len(asked) != 0 {
		t.Errorf("touched at once: asked %v, %v", asked, err)
	}
	if err := sign(hasty); err != nil || len(asked) != 1 || asked[0] != piv.SlotKeyManagement {
		t.Errorf("touched when asked: asked %v, %v", asked, err)
	}
	answer = false
	if err := sign(hasty); !errors.Is(err, piv.ErrTouchTimeout) || len(asked) != 2 {
		t.Errorf("not touched: asked %v, %v", asked, err)
	}
}

func TestCertificates(t *testing.T) {
	noise := make([]byte, 4000)
	rand.Read(noise)
	for _, firmware := range profiles() {
		t.Run(firmware, func(t *testing.T) {
			_, virtual, card := single(t, firmware)
			for _, test := range []struct {
				name        string
				certificate *x509.Certificate
				packed      byte
			}{
				{"small", selfSigned(t, 0), 0},
				{"just fits", selfSigned(t, 2700, noise...), 0},
				{"packed", selfSigned(t, 3500), 1},
			} {
				slot := piv.SlotKeyManagement
				if err := card.PutCertificate(t.Context(), piv.FactoryManagementKey(), slot, test.certificate); err != nil {
					t.Errorf("%s: %v", test.name, err)
					continue
				}
				contents, err := card.Slot(t.Context(), slot)
				if err != nil || contents.CertificateErr != nil || !contents.Certificate.Equal(test.certificate) {
					t.Errorf("%s: read back %v, %v", test.name, contents.CertificateErr, err)
				}
				object := virtual.Snapshot().Objects[0x5FC10B]
				if got := object[len(object)-3]; got != test.packed || !bytes.HasPrefix(object[len(object)-5:], []byte{0x71, 0x01}) {
					t.Errorf("%s: the object ends in % X", test.name, object[len(object)-5:])
				}
			}
			before := virtual.Snapshot().Objects[0x5FC10B]
			if err := card.PutCertificate(t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, selfSigned(t, 4000, noise...)); !errors.Is(err, piv.ErrCertificateTooLarge) {
				t.Errorf("too large: %v", err)
			}
			virtual.SetCardFull(true)
			if err := card.PutCertificate(t.Context(), piv.FactoryManagementKey(), piv.SlotKeyManagement, selfSigned(t, 900)); !errors.Is(err, piv.ErrCardFull) {
				t.Errorf("card full: %v", err)
			}
			if err := card.RefreshCHUID(t.Context(), piv.FactoryManagementKey()); !errors.Is(err, piv.ErrCardFull) {
				t.Errorf("card full: %v", err)
			}
			if !bytes.Equal(before, virtual.Snapshot().Objects[0x5FC10B]) {
				t.Error("a refused certificate changed the card")
			}
		})
	}
}
