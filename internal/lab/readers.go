package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// ErrNoCard reports a reader that never held one of the lab's YubiKeys.
var ErrNoCard = errors.New("no card was ever in this reader")

// CardSpec describes a card to be made. Zero values stand for the lab's
// defaults.
type CardSpec struct {
	Serial     uint32
	Firmware   string
	FormFactor byte
	StateFile  string
	// From is a folder with what an issuer put on the card; see package issued. A
	// state file that is there wins.
	From string
}

// seat is a card together with its being in a reader.
type seat struct {
	card *yubikey.Card

	mu   sync.Mutex
	in   int           // how many readers it is in: none or one
	gone chan struct{} // closed when the card is pulled; nil while it is out
}

// startReaders opens the readers and puts a card into each.
func (l *Lab) startReaders(ctx context.Context) error {
	options := []pcscd.Option{pcscd.Intercept(l.exchange), pcscd.Grace(l.options.PowerGrace)}
	if l.options.Tokens {
		options = append(options, pcscd.Tokens())
	}
	if firmware, err := yubikey.ParseFirmware(l.options.Firmware); err == nil && firmware.Major < 5 {
		options = append(options, pcscd.ReaderNames(readerNames(len(l.seats))...))
	}
	if l.options.PCSCListen != "" {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.options.PCSCListen)
		if err != nil {
			return fmt.Errorf("listen for smart card programs: %w", err)
		}
		l.pcscOn = listener.Addr().String()
		options = append(options, pcscd.On(listener))
	}
	var err error
	l.pcsc, err = pcscd.Listen(l.socket, len(l.seats), options...)
	if err != nil || l.options.NoCard {
		return err
	}
	for i := range l.seats {
		spec := CardSpec{Serial: l.options.Serial}
		if spec.Serial != 0 {
			spec.Serial += uint32(i)
		}
		if i == 0 {
			spec.StateFile, spec.From = l.options.CardState, l.options.CardFrom
		}
		card, err := l.NewCard(spec)
		if err != nil {
			return err
		}
		if err := l.Insert(i, card); err != nil {
			return err
		}
	}
	return nil
}

// readerNames are those of YubiKeys 4, which clients tell apart from newer ones
// by them.
func readerNames(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("Yubico Yubikey 4 OTP+U2F+CCID %02d 00", i))
	}
	return names
}

// NewCard makes a YubiKey that attests under the lab's authority. It is in no
// reader.
func (l *Lab) NewCard(spec CardSpec) (*yubikey.Card, error) {
	if spec.Firmware == "" {
		spec.Firmware = l.options.Firmware
	}
	firmware, err := yubikey.ParseFirmware(spec.Firmware)
	if err != nil {
		return nil, err
	}
	if spec.FormFactor == 0 {
		spec.FormFactor = l.options.FormFactor
	}
	contents, err := l.issuedContents(spec.From)
	if err != nil {
		return nil, err
	}
	s := &seat{}
	s.card, err = yubikey.New(yubikey.Config{
		Serial: spec.Serial, Firmware: firmware, FormFactor: spec.FormFactor,
		Authority: l.authority, StateFile: spec.StateFile, Contents: contents, Clock: l.gmail.Now,
		Touch:       func(byte) bool { return l.touch.wait(s.presence()) },
		GenerateRSA: l.options.GenerateRSA, PINComplexity: l.options.PINComplexity,
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[s.card] = s
	return s.card, nil
}

// Names are the readers' names as programs see them.
func (l *Lab) Names() []string { return l.pcsc.Names() }

// Card is the YubiKey in a reader, or the one that was there last; nil if there
// never was one.
func (l *Lab) Card(reader int) *yubikey.Card {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reader < 0 || reader >= len(l.seats) || l.seats[reader] == nil {
		return nil
	}
	return l.seats[reader].card
}

// Inserted tells whether there is a card in a reader now.
func (l *Lab) Inserted(reader int) bool {
	_, err := l.pcsc.Card(reader)
	return err == nil
}

// Unlocked tells whether a program that opened the card in a reader now would
// find its PIN verified or its management key proven, by whoever was there
// before. The error may be pcscd.ErrNoReader or pcscd.ErrEmpty.
func (l *Lab) Unlocked(reader int) (bool, error) {
	fresh, err := l.pcsc.Fresh(reader)
	if err != nil || fresh {
		return false, err
	}
	card := l.Card(reader)
	return card != nil && card.Unlocked(), nil
}

// Pull takes the card out of a reader, whatever it is doing. The error may be
// pcscd.ErrNoReader or pcscd.ErrEmpty.
func (l *Lab) Pull(reader int) error {
	if _, err := l.pcsc.Remove(reader); err != nil {
		return err
	}
	l.pulled(reader)
	l.log.line("reader %d: card pulled", reader)
	return nil
}

// Insert puts a card into a reader, nil the one that was there last. The error
// may be pcscd.ErrNoReader, pcscd.ErrOccupied or ErrNoCard.
func (l *Lab) Insert(reader int, card *yubikey.Card) error {
	if card == nil {
		if card = l.Card(reader); card == nil {
			return fmt.Errorf("insert into reader %d: %w", reader, ErrNoCard)
		}
	}
	if err := l.seat(reader, card); err != nil {
		return err
	}
	l.log.line("reader %d: card %d inserted", reader, card.Serial())
	l.applyToCard(card, l.faults.Switches())
	return nil
}

// seat puts the card into the reader and notes that it is there.
func (l *Lab) seat(reader int, card *yubikey.Card) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.made[card]
	if s == nil {
		s = &seat{card: card}
		l.made[card] = s
	}
	s.arrive()
	if err := l.pcsc.Insert(reader, card); err != nil {
		s.leave()
		return err
	}
	l.seats[reader] = s
	return nil
}

// InsertForeign puts a smart card that is no YubiKey into a reader: it knows no
// application at all.
func (l *Lab) InsertForeign(reader int) error {
	if err := l.pcsc.Insert(reader, foreignCard{}); err != nil {
		return err
	}
	l.log.line("reader %d: a card that is no YubiKey inserted", reader)
	return nil
}

// pulled notes that the card left a reader.
func (l *Lab) pulled(reader int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.seats[reader]; s != nil {
		s.leave()
	}
}

func (s *seat) arrive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in++; s.in == 1 {
		s.gone = make(chan struct{})
	}
}

func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in == 0 {
		return
	}
	if s.in--; s.in == 0 {
		close(s.gone)
		s.gone = nil
	}
}

// presence is closed as soon as the card is out of its reader.
func (s *seat) presence() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		out := make(chan struct{})
		close(out)
		return out
	}
	return s.gone
}

// foreignCard is a memory card by its answer to reset.
type foreignCard struct{}

func (foreignCard) ATR() []byte            { return []byte{0x3b, 0x80, 0x80, 0x01, 0x01} }
func (foreignCard) Transmit([]byte) []byte { return []byte{0x6a, 0x82} }
func (foreignCard) Reset()                 {}
