//go:build cgo && linux

package piv_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// operation is one thing done with a card, and what it leaves when it is done
// twice does not matter.
type operation struct {
	name string
	do   func(ctx context.Context, card *piv.Card) error
}

func operations(public crypto.PublicKey) []operation {
	slot, key := piv.SlotKeyManagement, piv.FactoryManagementKey()
	return []operation{
		{"protection", func(ctx context.Context, card *piv.Card) error { _, err := card.Protection(ctx); return err }},
		{"slot", func(ctx context.Context, card *piv.Card) error { _, err := card.Slot(ctx, slot); return err }},
		{"verify", func(ctx context.Context, card *piv.Card) error { return card.VerifyPIN(ctx, piv.FactoryPIN()) }},
		{"PIN", func(ctx context.Context, card *piv.Card) error {
			return card.ChangePIN(ctx, piv.FactoryPIN(), piv.FactoryPIN())
		}},
		{"PUK", func(ctx context.Context, card *piv.Card) error {
			return card.ChangePUK(ctx, piv.FactoryPUK(), piv.FactoryPUK())
		}},
		{"management key", func(ctx context.Context, card *piv.Card) error { return card.ChangeManagementKey(ctx, key, key) }},
		{"CHUID", func(ctx context.Context, card *piv.Card) error { return card.RefreshCHUID(ctx, key) }},
		{"attest", func(ctx context.Context, card *piv.Card) error { _, _, err := card.Attest(ctx, slot); return err }},
		{"generate", func(ctx context.Context, card *piv.Card) error {
			_, err := card.Generate(ctx, key, piv.SlotSignature, piv.GenerateOptions{Algorithm: piv.ECCP256})
			return err
		}},
		{"sign", func(ctx context.Context, card *piv.Card) error {
			_, err := card.Signer(ctx, slot, public, piv.FactoryPIN()).Sign(nil, make([]byte, 32), crypto.SHA256)
			return err
		}},
	}
}

// at gives the verdict for the n-th command and lets all others through.
func at(n int, v verdict) func(int, []byte) verdict {
	return func(i int, _ []byte) verdict {
		if i == n {
			return v
		}
		return verdict{}
	}
}

// TestContactLostAtEveryCommand breaks the contact at each command of each
// operation in turn. Nothing but ErrReset and ErrRemoved comes of it, the card is
// usable at once, and no try is burnt.
func TestContactLostAtEveryCommand(t *testing.T) {
	d, virtual, card := single(t, "5.7.4")
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	for _, op := range operations(public) {
		for _, broken := range []verdict{
			{Verdict: pcscd.GlitchReset}, {Verdict: pcscd.GlitchReset, lost: true}, {Verdict: pcscd.GlitchRemoved}, {Verdict: pcscd.GlitchRemoved, lost: true},
		} {
			t.Run(fmt.Sprintf("%s/%d/%v", op.name, broken.Verdict, broken.lost), func(t *testing.T) {
				for n := 1; ; n++ {
					d.setFault(at(n, broken))
					err := op.do(t.Context(), card)
					reached := d.sent() >= n
					d.setFault(nil)
					if err != nil && !errors.Is(err, piv.ErrReset) && !errors.Is(err, piv.ErrRemoved) {
						t.Fatalf("command %d: %v", n, err)
					}
					if err := op.do(t.Context(), card); err != nil {
						t.Fatalf("after command %d broke: %v", n, err)
					}
					if s := virtual.Snapshot(); s.PIN.Tries != 3 || s.PUK.Tries != 3 {
						t.Fatalf("command %d burnt a try: %d, %d", n, s.PIN.Tries, s.PUK.Tries)
					}
					if !reached {
						return
					}
				}
			})
		}
	}
}

// TestPulledAtEveryCommand pulls the card at each command of each operation in
// turn, and puts it back into the other reader.
func TestPulledAtEveryCommand(t *testing.T) {
	d := newDesk(t, 2)
	virtual := newCard(t, serial, "5.7.4")
	d.insert(0, virtual)
	card := open(t, serial, quick())
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	in := 0
	for _, op := range operations(public) {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", op.name, lost), func(t *testing.T) {
				for n := 1; ; n++ {
					d.setFault(at(n, verdict{Verdict: pcscd.Pulled, lost: lost}))
					err := op.do(t.Context(), card)
					pulled := d.sent() >= n
					d.setFault(nil)
					if !pulled {
						if err != nil {
							t.Fatal(err)
						}
						return
					}
					if !errors.Is(err, piv.ErrRemoved) {
						t.Fatalf("command %d: %v", n, err)
					}
					in = 1 - in
					d.insert(in, virtual)
					if err := op.do(t.Context(), card); err != nil {
						t.Fatalf("after command %d, in the other reader: %v", n, err)
					}
					if got := card.Identity().Reader; got != d.Names()[in] {
						t.Fatalf("the card is thought to be in %q", got)
					}
				}
			})
		}
	}
	if s := virtual.Snapshot(); s.PIN.Tries != 3 || s.PUK.Tries != 3 {
		t.Errorf("tries were burnt: %d, %d", s.PIN.Tries, s.PUK.Tries)
	}
}

func TestAnotherCardInItsPlace(t *testing.T) {
	d, _, card := single(t, "5.7.4")
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]pcscd.Card{"YubiKey": newCard(t, 99, "5.4.3"), "old YubiKey": newCard(t, 98, "4.3.7"), "plastic": &plastic{}} {
		d.remove(0)
		d.insert(0, other)
		for what, err := range map[string]error{
			"verify": card.VerifyPIN(t.Context(), secret.FromString("999999")),
			"generate": func() error {
				_, err := card.Generate(t.Context(), piv.FactoryManagementKey(), piv.SlotSignature, piv.GenerateOptions{Algorithm: piv.ECCP256})
				return err
			}(),
			"CHUID": card.RefreshCHUID(t.Context(), piv.FactoryManagementKey()),
		} {
			if !errors.Is(err, piv.ErrRemoved) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		if virtual, ok := other.(*yubikey.Card); ok {
			if s := virtual.Snapshot(); s.PIN.Tries != 3 || len(s.Objects[0x5FC102]) != 0 || len(s.Slots) > 1 {
				t.Errorf("%s: something was done to it", name)
			}
			var wrong *piv.WrongCardError
			if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); !errors.As(err, &wrong) && virtual.Firmware().Major == 5 {
				t.Errorf("%s: %v", name, err)
			}
		}
		hold(t, d.Names()[0])() // nothing of ours still has the other card
	}
}

// TestStatusGoesOnWhereItWas breaks the contact often: there are far more
// commands than one session could bring through.
func TestStatusGoesOnWhereItWas(t *testing.T) {
	d, _, card := single(t, "5.7.4")
	generate(t, card, 0x95, piv.ECCP256)
	d.setFault(func(n int, _ []byte) verdict {
		if n%11 == 0 {
			return verdict{Verdict: pcscd.GlitchReset, lost: n%2 == 0}
		}
		return verdict{}
	})
	status, err := card.Status(t.Context())
	if err != nil || len(status.Slots) != 1 || status.Slots[0].Slot != 0x95 {
		t.Errorf("%+v, %v", status.Slots, err)
	}
}

// stuck is a card that does not answer until it is let go.
func stuck(d *desk) (began <-chan struct{}, release func()) {
	started, gate := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	d.setFault(func(int, []byte) verdict {
		if once.CompareAndSwap(false, true) {
			close(started)
			<-gate
		}
		return verdict{}
	})
	return started, func() { close(gate) }
}

func TestTheContextEndsTheWaitNotTheOperation(t *testing.T) {
	for _, op := range operations(nil)[:4] {
		t.Run(op.name, func(t *testing.T) {
			d, _, card := single(t, "5.7.4")
			began, release := stuck(d)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- op.do(ctx, card) }()
			<-began
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			impatient, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer stop()
			if err := card.Release(impatient); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("closed while an operation is out: %v", err)
			}
			if err := op.do(impatient, card); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second operation while one is out: %v", err)
			}
			release()
			if err := card.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if err := op.do(t.Context(), card); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestACardThatDoesNotAnswer(t *testing.T) {
	d := newDesk(t, 1)
	d.insert(0, newCard(t, serial, "5.7.4"))
	card := open(t, serial, piv.Options{CallTimeout: 100 * time.Millisecond, InUseTimeout: -1})
	began, release := stuck(d)
	if _, err := card.Protection(t.Context()); !errors.Is(err, piv.ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	<-began
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); !errors.Is(err, piv.ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	release()
	if err := card.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOperationsTakeTurns(t *testing.T) {
	_, _, card := single(t, "5.7.4")
	public := generate(t, card, piv.SlotKeyManagement, piv.ECCP256)
	errs := make(chan error)
	all := operations(public)
	for _, op := range all {
		go func() { errs <- op.do(t.Context(), card) }()
	}
	for range all {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestEndedContextTouchesNothing(t *testing.T) {
	d, _, card := single(t, "5.7.4")
	d.setFault(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, op := range operations(nil) {
		if err := op.do(ctx, card); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", op.name, err)
		}
	}
	if _, err := piv.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
	if _, err := piv.Open(ctx, 0, quick()); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	if err := piv.Wait(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v", err)
	}
	if d.sent() != 0 {
		t.Errorf("%d commands were sent", d.sent())
	}
}
