package piv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// connection is the one way to a card: an exclusive connection with a
// transaction, opened by piv-go, with PIV selected. What piv-go does not do, or
// does not bound, are commands of our own on the same handle, so there is no
// second connection, and no moment between two in which another program could
// come to the card.
//
// Nobody else can change the card while the connection is open. What was read is
// therefore not read again until a command of our own changes it, and a PIN or
// management key that was accepted is not given a second time, except to keys
// that ask for the PIN each time.
type connection struct {
	key yubikey
	pcsc.Applet
	card     *pcsc.Card // the handle of key
	reader   string
	serial   uint32
	firmware Version

	metadata     cache[byte, pcsc.Metadata]
	objects      cache[pcsc.Object, []byte]
	attestations cache[Slot, []byte]

	// accepted says that the card may have accepted a PIN or management key. It is
	// reset then before it is released, for no other program to find it open.
	accepted           bool
	pin, managementKey secret.Secret // that it accepted last; zero for none

	mu   sync.Mutex
	over bool // closed or cut
	cut  bool
}

// openConnection connects to the YubiKey in the reader, and reads its serial
// number. It must not be tried on a card without PIV: piv-go keeps its exclusive
// connection when it cannot select that, until the process ends. A contact that
// is lost in that very moment does the same, to a reader that is not the YubiKey
// itself.
func openConnection(ctx context.Context, reader string) (*connection, error) {
	ctx = logging.Adding(ctx, "reader", reader)
	log := logging.From(ctx)
	key, err := openYubiKey(reader)
	tracePIVGo(log, "open", err)
	if err != nil {
		return nil, err
	}
	handle, err := key.handle()
	if err != nil {
		key.close()
		return nil, err
	}
	card := pcsc.CardOf(handle)
	c := &connection{
		key: traceKey(key, log), card: card, Applet: pcsc.Applet{Card: pcsc.Traced(card, log)}, reader: reader, firmware: key.firmware(),
		metadata: cache[byte, pcsc.Metadata]{}, objects: cache[pcsc.Object, []byte]{}, attestations: cache[Slot, []byte]{},
	}
	if c.serial, err = c.Serial(byte(c.firmware.Major)); err != nil {
		c.close()
		return nil, err
	}
	log = logging.From(logging.Adding(ctx, logging.Card, c.serial))
	c.key, c.Card = traceKey(key, log), pcsc.Traced(card, log)
	if c.firmware.AtLeast(4, 3, 0) {
		c.MaxExtended = pcsc.MaxExtendedYubiKey
	}
	return c, nil
}

// close releases the card. There is nothing to do about its errors: the card
// or the service is gone then, and what was accepted with it.
func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && c.accepted && c.card.Reconnect(pcsc.Exclusive, pcsc.ResetIt) != nil {
		c.card.Disconnect(pcsc.ResetIt)
	}
	c.over = true
	c.key.close()
}

// reset has the card forget the PIN and management key that it accepted.
func (c *connection) reset() error {
	if err := c.card.Reconnect(pcsc.Exclusive, pcsc.ResetIt); err != nil {
		return err
	}
	c.accepted, c.pin, c.managementKey = false, secret.Secret{}, secret.Secret{}
	_, err := c.Select(pcsc.PIV)
	return err
}

// cutOff ends the connection while a call is out on it: the next command of that
// call fails. A call that hangs in a driver ends no sooner for it.
func (c *connection) cutOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.over, c.cut = true, true
		c.card.Disconnect(pcsc.ResetIt)
	}
}

func (c *connection) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// within makes a call through piv-go, which collects an answer that does not end
// for ever: the connection is cut when the call takes longer than the limit, and
// when the context ends.
func within[T any](ctx context.Context, c *connection, limit time.Duration, call func() (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		c.cutOff()
	})
	value, err := call()
	if !stop() {
		<-done
	}
	if err != nil && c.wasCut() {
		err = fmt.Errorf("%w within %v", ErrNoAnswer, limit)
	}
	return value, err
}

// usable reports whether it still is a connection to the card that it was opened
// to, which was neither reset nor removed. The card is sent nothing.
func (c *connection) usable() bool { return !c.wasCut() && c.card.Check() == nil }

// Metadata is Applet's, asked for once.
func (c *connection) Metadata(reference byte) (pcsc.Metadata, error) {
	return c.metadata.get(reference, func() (pcsc.Metadata, error) { return c.Applet.Metadata(reference) })
}

// GetData is Applet's, asked for once.
func (c *connection) GetData(object pcsc.Object) ([]byte, error) {
	return c.objects.get(object, func() ([]byte, error) { return c.Applet.GetData(object) })
}

// PutData is Applet's.
func (c *connection) PutData(object pcsc.Object, contents []byte) error {
	delete(c.objects, object)
	return c.Applet.PutData(object, contents)
}

// Attest is Applet's, asked for once.
func (c *connection) Attest(slot Slot) ([]byte, error) {
	return c.attestations.get(slot, func() ([]byte, error) { return c.Applet.Attest(byte(slot)) })
}

// cache is what the card answered before, by what it was asked.
type cache[K comparable, V any] map[K]answer[V]

type answer[V any] struct {
	value V
	err   error
}

// get returns the answer that is known, or else asks. That something is not on
// the card is an answer too; that the card could not answer is none.
func (c cache[K, V]) get(key K, ask func() (V, error)) (V, error) {
	if known, ok := c[key]; ok {
		return known.value, known.err
	}
	value, err := ask()
	if err == nil || isAbsent(err) {
		c[key] = answer[V]{value, err}
	}
	return value, err
}

// isAbsent reports whether an error is the card's word that it does not hold
// what it was asked for; ATTEST says so with WrongData.
func isAbsent(err error) bool {
	return errors.Is(err, pcsc.ErrNoObject) || errors.Is(err, pcsc.NotFound) || errors.Is(err, pcsc.ReferenceNotFound) || errors.Is(err, pcsc.WrongData)
}
