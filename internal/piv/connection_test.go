//go:build cgo && linux

package piv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// TestOperationsShareAConnection counts: what an operation costs on a connection
// that is open already, and knows what was read on it before.
func TestOperationsShareAConnection(t *testing.T) {
	for _, firmware := range profiles() {
		t.Run(firmware, func(t *testing.T) {
			d, _, card := single(t, firmware)
			public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
			want := map[string]int{
				"protection": 2, "slot": 2, "verify": 1, "PIN": 1, "PUK": 1, "management key": 1, "CHUID": 9, "attest": 2, "generate": 1, "sign": 3,
			}
			for _, op := range operations(public) {
				d.setFault(nil)
				if err := op.do(t.Context(), card); err != nil {
					t.Fatalf("%s: %v", op.name, err)
				}
				if got := d.sent(); got != want[op.name] {
					t.Errorf("%s took %d commands, not %d", op.name, got, want[op.name])
				}
			}
		})
	}
}

func TestACardThatWasOutIsFoundAnew(t *testing.T) {
	d, virtual, card := single(t, "5.7.4")
	for _, op := range operations(nil)[:5] {
		if err := op.do(t.Context(), card); err != nil {
			t.Fatalf("%s: %v", op.name, err)
		}
		d.remove(0)
		d.insert(0, virtual)
		if err := op.do(t.Context(), card); err != nil {
			t.Errorf("%s, out and in again in between: %v", op.name, err)
		}
	}
}

// burglar is another program, which takes the card in every moment that it can,
// and tries what the card accepted of others.
type burglar struct {
	reader string
	tries  atomic.Int32
}

// visit returns an error where the card could be reached and was open.
func (b *burglar) visit() error {
	service, err := pcsc.Establish()
	if err != nil {
		return nil
	}
	defer service.Release()
	card, err := service.Connect(b.reader, pcsc.Shared)
	if err != nil {
		return nil
	}
	defer card.Disconnect(pcsc.LeaveCard)
	if card.Begin() != nil {
		return nil
	}
	defer card.End(pcsc.LeaveCard)
	b.tries.Add(1)
	applet := pcsc.Applet{Card: card}
	if _, err := applet.Select(pcsc.PIV); err != nil { // leaves what is selected as it is
		return err
	}
	if _, verified, err := applet.Tries(); verified || err != nil {
		return fmt.Errorf("a PIN is verified: %v, %v", verified, err)
	}
	if err := applet.PutData(0x5FC108, []byte{1}); !errors.Is(err, pcsc.SecurityNotSatisfied) {
		return fmt.Errorf("data is written without a management key: %v", err)
	}
	digest := append([]byte{0x7C, 36, 0x82, 0, 0x81, 32}, make([]byte, 32)...)
	if _, err := applet.Exchange(pcsc.Command{Instruction: 0x87, P1: pcsc.AlgorithmECCP256, P2: byte(piv.SlotKeyManagement), Data: digest}); !errors.Is(err, pcsc.SecurityNotSatisfied) {
		return fmt.Errorf("a signature is made without a PIN: %v", err)
	}
	return nil
}

// TestNobodyFindsTheCardOpen has another program at the card after each operation
// that a PIN or management key was given for, let go of in each of the ways.
func TestNobodyFindsTheCardOpen(t *testing.T) {
	d := newDesk(t, 1)
	virtual := newCard(t, serial, "5.7.4")
	d.insert(0, virtual)
	setup := open(t, serial, quick())
	public := generate(t, setup, piv.SlotKeyManagement, piv.ECCP256)
	disconnect(t, setup)
	thief := &burglar{reader: d.Names()[0]}
	for _, op := range operations(public) {
		t.Run(op.name+"/released", func(t *testing.T) {
			card := open(t, serial, quick())
			if err := op.do(t.Context(), card); err != nil {
				t.Fatal(err)
			}
			disconnect(t, card)
			if err := thief.visit(); err != nil || thief.tries.Swap(0) != 1 {
				t.Error(err)
			}
		})
		t.Run(op.name+"/left alone", func(t *testing.T) {
			card := open(t, serial, piv.Options{KeepOpen: time.Millisecond})
			if err := op.do(t.Context(), card); err != nil {
				t.Fatal(err)
			}
			for thief.tries.Load() == 0 {
				if err := thief.visit(); err != nil {
					t.Fatal(err)
				}
			}
			thief.tries.Store(0)
		})
		t.Run(op.name+"/cancelled", func(t *testing.T) {
			card := open(t, serial, quick())
			for n := 1; ; n++ {
				ctx, cancel := context.WithCancel(t.Context())
				d.setFault(func(i int, _ []byte) verdict {
					if i == n {
						cancel()
					}
					return verdict{}
				})
				err := op.do(ctx, card)
				disconnect(t, card)
				reached := d.sent() >= n
				d.setFault(nil)
				cancel()
				if err := thief.visit(); err != nil || thief.tries.Swap(0) != 1 {
					t.Errorf("cancelled at command %d: %v", n, err)
				}
				if !reached {
					if err != nil {
						t.Error(err)
					}
					break
				}
			}
		})
	}
}

// TestNoMomentForAnotherProgram has it try all the time.
func TestNoMomentForAnotherProgram(t *testing.T) {
	d, _, card := single(t, "5.7.4")
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	disconnect(t, card)
	thief := &burglar{reader: d.Names()[0]}
	ctx, stop := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := thief.visit(); err != nil {
				gone <- err
				return
			}
		}
		gone <- nil
	}()
	patient := open(t, serial, piv.Options{InUseTimeout: time.Minute, KeepOpen: time.Hour})
	for range 5 {
		for _, op := range operations(public) {
			if err := op.do(t.Context(), patient); err != nil {
				t.Errorf("%s: %v", op.name, err)
			}
			disconnect(t, patient)
		}
	}
	stop()
	if err := <-gone; err != nil {
		t.Error(err)
	}
	if thief.tries.Load() == 0 {
		t.Error("the other program never reached the card")
	}
}

// endless answers commands with that instruction, and what follows, with more
// and more.
func endless(instruction byte) func(int, []byte) verdict {
	var began atomic.Bool
	return func(_ int, command []byte) verdict {
		if command[1] == instruction {
			began.Store(true)
		}
		if began.Load() && (command[1] == instruction || command[1] == 0xC0) {
			return verdict{lie: append(bytes.Repeat([]byte{0x61}, 256), 0x61, 0xFF)}
		}
		return verdict{}
	}
}

// TestAnAnswerThatDoesNotEnd is a card that says 61FF for ever.
func TestAnAnswerThatDoesNotEnd(t *testing.T) {
	d := newDesk(t, 1)
	d.insert(0, newCard(t, serial, "5.7.4"))
	card := open(t, serial, quick())
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	all := map[string]operation{}
	for _, op := range operations(public) {
		all[op.name] = op
	}
	for name, instruction := range map[string]byte{
		"protection": 0xF7, "slot": 0xCB, "verify": 0x20, "attest": 0xF9, "generate": 0x47, "management key": 0x87, "CHUID": 0xDB,
	} {
		disconnect(t, card)
		d.setFault(endless(instruction))
		if err := all[name].do(t.Context(), card); !errors.Is(err, piv.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
		if got := d.sent(); got > 160 {
			t.Errorf("%s: %d commands were sent", name, got)
		}
		d.setFault(nil)
		if err := all[name].do(t.Context(), card); err != nil {
			t.Errorf("%s, afterwards: %v", name, err)
		}
	}
	disconnect(t, card)
	// What piv-go does ends with the limit, and so does what it holds.
	short := quick()
	short.AnswerTimeout = 500 * time.Millisecond
	card = open(t, serial, short)
	for name, instruction := range map[string]byte{"sign": 0x87, "PIN": 0x24, "PUK": 0x24} {
		d.setFault(endless(instruction))
		if err := all[name].do(t.Context(), card); !errors.Is(err, piv.ErrNoAnswer) {
			t.Errorf("%s: %v", name, err)
		}
		disconnect(t, card) // nothing is out any more
		d.setFault(nil)
	}
	// Nor does it outlast who asked.
	card = open(t, serial, quick())
	for name, instruction := range map[string]byte{"sign": 0x87, "PIN": 0x24, "PUK": 0x24} {
		ctx, cancel := context.WithCancel(t.Context())
		lie := endless(instruction)
		d.setFault(func(n int, command []byte) verdict {
			v := lie(n, command)
			if v.lie != nil {
				cancel()
			}
			return v
		})
		if err := all[name].do(ctx, card); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
		disconnect(t, card)
		d.setFault(nil)
	}
}

func TestAnUnusedConnectionIsLetGoOf(t *testing.T) {
	d := newDesk(t, 1)
	d.insert(0, newCard(t, serial, "5.7.4"))
	card := open(t, serial, piv.Options{KeepOpen: time.Millisecond})
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Fatal(err)
	}
	service, err := pcsc.Establish()
	if err != nil {
		t.Fatal(err)
	}
	defer service.Release()
	for {
		other, err := service.Connect(d.Names()[0], pcsc.Exclusive)
		if err == nil {
			other.Disconnect(pcsc.LeaveCard)
			break
		}
		if !errors.Is(err, pcsc.SharingViolation) {
			t.Fatal(err)
		}
	}
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Error(err)
	}
}

// TestAKeyWithoutAPINUsesNoPINOfBefore: what was proven for another operation
// does not count, however short the time between.
func TestAKeyWithoutAPINUsesNoPINOfBefore(t *testing.T) {
	_, _, card := single(t, "5.7.4")
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Fatal(err)
	}
	_, err := card.Signer(t.Context(), piv.SlotKeyManagement, public, noPIN).Sign(nil, make([]byte, 32), sha256Options)
	if !errors.Is(err, piv.ErrPINRequired) {
		t.Errorf("got %v", err)
	}
	if err := card.VerifyPIN(t.Context(), wrongPIN); err == nil {
		t.Error("a wrong PIN is right after a right one")
	}
}

func TestPulledWhileNothingIsDone(t *testing.T) {
	d := newDesk(t, 2, pcscd.Tokens())
	virtual := newCard(t, serial, "5.7.4")
	d.insert(0, virtual)
	card := open(t, serial, quick())
	if _, err := card.Protection(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.remove(0)
	if _, err := card.Protection(t.Context()); !errors.Is(err, piv.ErrRemoved) {
		t.Errorf("unplugged: %v", err)
	}
	d.insert(1, virtual)
	if _, err := card.Protection(t.Context()); err != nil {
		t.Errorf("plugged in elsewhere: %v", err)
	}
}
