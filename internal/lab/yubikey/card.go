package yubikey

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Config says what card New makes. With a state file that exists, only the
// file, Rand, Clock, Touch and GenerateRSA count: the card is the one it was.
type Config struct {
	// Serial is the serial number printed on the card. Zero draws one.
	Serial uint32
	// Firmware is the version whose abilities and defaults the card has: 5.7.4
	// when zero, 4.0.0 at least.
	Firmware Version
	// FormFactor is one of the FormFactor constants, USB-C keychain when zero,
	// with bit 80 set for a FIPS model.
	FormFactor byte
	// Contents is what an issuer put on a new card; nil leaves it as it comes from
	// the factory.
	Contents *Contents
	// Authority signs the attestation certificate of a new card.
	Authority *Authority
	// StateFile keeps the card from one run to the next: JSON, readable by its
	// owner only, replaced atomically before each answer to a command that
	// changed something. It holds private keys. Empty keeps the card in memory.
	StateFile string
	// Rand gives challenges and serial numbers: crypto/rand when nil.
	Rand io.Reader
	// Clock tells the time for cached touches: time.Now when nil.
	Clock func() time.Time
	// Touch is called when the card waits for a finger, with the slot whose key
	// is being used, 9b for the management key. It may take its time; false
	// means that nobody touched the card. When nil the card is touched at once.
	Touch func(slot byte) bool
	// GenerateRSA makes RSA keys of a size in bits: crypto/rsa when nil. Tests
	// give keys made beforehand.
	GenerateRSA func(bits int) (*rsa.PrivateKey, error)
	// PINComplexity refuses trivial new PINs and PUKs with 6985, as cards
	// ordered so do from firmware 5.7 on.
	PINComplexity bool
}

// Card is a virtual YubiKey. Its methods may be called from several goroutines;
// commands are answered one after the other.
type Card struct {
	rand        io.Reader
	clock       func() time.Time
	touchSensor func(slot byte) bool
	generateRSA func(bits int) (*rsa.PrivateKey, error)
	stateFile   string
	authority   *Authority

	turn sync.Mutex // held for a whole command, also while waiting for a touch
	mu   sync.Mutex // guards what follows; free while waiting for a touch

	state   state
	profile profile
	saved   []byte // the state as last saved, to go back to when saving fails
	dirty   bool   // the state differs from what was saved
	full    bool
	touches int
	session session

	lie       Lie
	otherCard *Card // whose attestations a lie shows
}

// session is what a card forgets when it loses power.
type session struct {
	applet      applet
	pinVerified bool
	pinFresh    bool // the PIN was verified by the very last command
	managed     bool // the management key was proven
	challenge   []byte
	witness     []byte
	chain       chain
	pending     []byte
	touched     time.Time
}

// New makes a card, or takes up the one in the state file. It fails when the
// state file is unreadable or not one, and for a new card when there is no
// authority or no key could be made.
func New(config Config) (*Card, error) {
	c := &Card{
		rand: config.Rand, clock: config.Clock, touchSensor: config.Touch,
		generateRSA: config.GenerateRSA, stateFile: config.StateFile, authority: config.Authority,
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if c.touchSensor == nil {
		c.touchSensor = func(byte) bool { return true }
	}
	if c.generateRSA == nil {
		c.generateRSA = func(bits int) (*rsa.PrivateKey, error) { return rsa.GenerateKey(nil, bits) }
	}
	found, err := c.load()
	if err != nil {
		return nil, err
	}
	if !found {
		if err := c.manufacture(config); err != nil {
			return nil, fmt.Errorf("making a virtual YubiKey: %w", err)
		}
	}
	return c, nil
}

// manufacture gives a new card its identity, factory secrets and attestation
// key.
func (c *Card) manufacture(config Config) error {
	if config.Authority == nil {
		return errors.New("no attestation authority")
	}
	if config.Firmware == (Version{}) {
		config.Firmware = Version{5, 7, 4}
	}
	if err := config.Firmware.check(); err != nil {
		return err
	}
	if config.FormFactor == 0 {
		config.FormFactor = FormFactorUSBCKeychain
	}
	if config.Serial == 0 {
		serial, err := drawSerial(c.rand)
		if err != nil {
			return err
		}
		config.Serial = serial
	}
	c.profile = profileOf(config.Firmware, config.FormFactor)
	c.state = state{
		Format: stateFormat, Serial: config.Serial, Firmware: config.Firmware,
		FormFactor: config.FormFactor, PINComplexity: config.PINComplexity,
		Slots: map[slotID]*slotState{}, Objects: map[objectID][]byte{},
	}
	c.state.restoreFactory(c.profile)
	if c.profile.can(Attestation) {
		if err := c.installAttestation(config.Authority); err != nil {
			return err
		}
	}
	if config.Contents != nil {
		if err := c.issue(*config.Contents); err != nil {
			return fmt.Errorf("what its issuer put on it: %w", err)
		}
	}
	c.dirty = true
	return c.persist()
}

// drawSerial draws a serial number of eight digits.
func drawSerial(random io.Reader) (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("drawing a serial number: %w", err)
	}
	return 10_000_000 + binary.BigEndian.Uint32(b[:])%90_000_000, nil
}

// ATR returns the answer to reset of a YubiKey 4 or 5 over USB (ISO/IEC 7816-3,
// 8).
func (c *Card) ATR() []byte {
	if c.Firmware().Major < 5 {
		return []byte{
			0x3b, 0xf8, 0x13, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x15, 0x59, 0x75, 0x62,
			0x69, 0x6b, 0x65, 0x79, 0x34, 0xd4,
		}
	}
	return []byte{
		0x3b, 0xfd, 0x13, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x15, 0x80, 0x73, 0xc0,
		0x21, 0xc0, 0x57, 0x59, 0x75, 0x62, 0x69, 0x4b, 0x65, 0x79, 0x40,
	}
}

// Transmit answers one command APDU, short or extended, or one part of a
// chained command, with a response APDU: data followed by the status word.
func (c *Card) Transmit(cmd []byte) []byte {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	data, sw := c.exchange(cmd)
	return append(slices.Clone(data), byte(sw>>8), byte(sw))
}

// Reset takes the card's power away and gives it back: the selected applet, the
// PIN, the management key, commands and responses under way are forgotten.
func (c *Card) Reset() {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = session{}
}

// Unlocked reports whether the card has the PIN verified or the management key
// proven: what the next command may use.
func (c *Card) Unlocked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.pinVerified || c.session.managed
}

// Serial returns the serial number.
func (c *Card) Serial() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Serial
}

// Firmware returns the firmware version.
func (c *Card) Firmware() Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Firmware
}

// SetCardFull makes the card refuse to store data objects (6A84) until it is
// called with false. Deleting still works.
func (c *Card) SetCardFull(full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.full = full
}
