package tui

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// softCard is a card in memory with an imported key in slot 9D. It can be
// pulled, and takes its time for whatever writes to it.
type softCard struct {
	enroll.Card // what is not asked of it

	serial uint32
	key    *ecdsa.PrivateKey
	slow   time.Duration // what writing takes

	mu          sync.Mutex
	out         bool
	pin         string // empty while it is the factory one
	tries       int
	lastAllowed bool
	certificate *x509.Certificate
}

func newSoftCard(serial uint32) *softCard {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &softCard{serial: serial, key: key, tries: 3, slow: time.Second}
}

func (c *softCard) pull(out bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
}

// do does something with the card, which may have been pulled meanwhile.
func (c *softCard) do(took time.Duration, something func() error) error {
	time.Sleep(took)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return piv.ErrRemoved
	}
	return something()
}

func (c *softCard) AllowLastTry() enroll.Card {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastAllowed = true
	return c
}

func (c *softCard) Identity() piv.Identity {
	return piv.Identity{Serial: c.serial, Firmware: piv.Version{Major: 5, Minor: 7, Patch: 4}, Model: "YubiKey 5C NFC", Reader: "Yubico YubiKey OTP+FIDO+CCID 00 00"}
}

// Release has nothing to wait for.
func (c *softCard) Release(context.Context) error { return nil }

func (c *softCard) Protection(context.Context) (protection piv.Protection, err error) {
	err = c.do(0, func() error {
		protection = piv.Protection{
			PIN: piv.Counter{Tries: c.tries, Max: 3, Factory: piv.No}, PUK: piv.Counter{Tries: 3, Max: 3, Factory: piv.No},
			ManagementKey: piv.ManagementKey{Algorithm: "aes192", Factory: piv.No},
		}
		if c.pin == "" {
			protection.PIN.Factory = piv.Yes
		}
		return nil
	})
	return protection, err
}

func (c *softCard) Slot(_ context.Context, slot piv.Slot) (held piv.SlotContents, err error) {
	err = c.do(0, func() error {
		held.Slot = slot
		if slot == piv.SlotKeyManagement {
			held.Key = &piv.KeyInfo{Algorithm: piv.ECCP256, Origin: piv.Imported, PINPolicy: piv.PINOnce, TouchPolicy: piv.TouchNever, PublicKey: c.key.Public()}
			held.Certificate = c.certificate
		}
		return nil
	})
	return held, err
}

func (c *softCard) VerifyPIN(_ context.Context, pin secret.Secret) error {
	return c.do(0, func() error {
		switch {
		case c.tries == 0:
			return piv.ErrPINBlocked
		case c.tries == 1 && !c.lastAllowed:
			return &piv.LastTryError{Reference: "PIN"}
		case string(pin.Reveal()) != c.pin:
			c.tries--
			return &piv.WrongPINError{Reference: "PIN", Tries: c.tries}
		}
		c.tries = 3
		return nil
	})
}

func (c *softCard) ChangePIN(_ context.Context, _, pin secret.Secret) error {
	return c.do(c.slow, func() error { c.pin = string(pin.Reveal()); return nil })
}

func (c *softCard) CheckManagementKey(context.Context, secret.Secret) error { return nil }

func (c *softCard) PutCertificate(_ context.Context, _ secret.Secret, _ piv.Slot, certificate *x509.Certificate) error {
	return c.do(c.slow, func() error { c.certificate = certificate; return nil })
}

func (c *softCard) RefreshCHUID(context.Context, secret.Secret) error {
	return c.do(0, func() error { return nil })
}

func (c *softCard) AdminData(context.Context) (piv.AdminData, error) { return piv.AdminData{}, nil }

func (c *softCard) Attest(context.Context, piv.Slot) (_, _ *x509.Certificate, err error) {
	return nil, nil, piv.ErrNotAttestable
}

func (c *softCard) Signer(_ context.Context, _ piv.Slot, public crypto.PublicKey, pin secret.Secret) crypto.Signer {
	return softSigner{card: c, pin: string(pin.Reveal())}
}

func (c *softCard) ECDH(_ context.Context, _ piv.Slot, _ crypto.PublicKey, pin secret.Secret, peer *ecdh.PublicKey) (shared []byte, err error) {
	err = c.do(0, func() error {
		key, err := c.key.ECDH()
		if err != nil {
			return err
		}
		shared, err = key.ECDH(peer)
		return err
	})
	return shared, err
}

// softSigner signs for those who know the PIN.
type softSigner struct {
	card *softCard
	pin  string
}

func (s softSigner) Public() crypto.PublicKey { return s.card.key.Public() }

func (s softSigner) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) (signature []byte, err error) {
	err = s.card.do(0, func() error {
		if s.pin != s.card.pin {
			return errors.New("the card was not given its PIN")
		}
		signature, err = s.card.key.Sign(random, digest, options)
		return err
	})
	return signature, err
}
