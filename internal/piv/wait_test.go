//go:build cgo && linux

package piv_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// hold connects to the card as another program would, until the test ends or
// the function is called.
func hold(t *testing.T, reader string) (release func()) {
	t.Helper()
	service, err := pcsc.Establish()
	if err != nil {
		t.Fatal(err)
	}
	card, err := service.Connect(reader, pcsc.Exclusive)
	for errors.Is(err, pcsc.SharingViolation) { // somebody only looks
		time.Sleep(time.Millisecond)
		card, err = service.Connect(reader, pcsc.Exclusive)
	}
	if err != nil {
		service.Release()
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		card.Disconnect(pcsc.LeaveCard)
		service.Release()
	})
	t.Cleanup(release)
	return release
}

func TestHeldCardIsWaitedFor(t *testing.T) {
	d, _, _ := single(t, "5.7.4")
	card := open(t, serial, piv.Options{InUseTimeout: 30 * time.Second})
	for name, use := range map[string]func() error{
		"through piv-go": func() error { return card.VerifyPIN(t.Context(), piv.FactoryPIN()) },
		"by ourselves":   func() error { _, err := card.Protection(t.Context()); return err },
		"opening": func() error {
			_, err := piv.Open(t.Context(), 0, piv.Options{InUseTimeout: 30 * time.Second})
			return err
		},
	} {
		disconnect(t, card)
		release := hold(t, d.Names()[0])
		time.AfterFunc(200*time.Millisecond, release)
		if err := use(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWaitForTheCard(t *testing.T) {
	d := newDesk(t, 2)
	d.insert(0, newCard(t, 11, "5.7.4"))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := piv.Wait(ctx, serial); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("another card is there: %v", err)
	}
	back := make(chan error, 1)
	go func() { back <- piv.Wait(t.Context(), serial) }()
	d.insert(1, newCard(t, serial, "5.7.4"))
	if err := <-back; err != nil {
		t.Fatal(err)
	}
	if err := piv.Wait(t.Context(), 0); err != nil {
		t.Fatalf("any card: %v", err)
	}
}

// TestWaitingSendsNothingWhileNothingChanges outlasts a few rounds of waiting,
// in which another program can have the card for itself.
func TestWaitingSendsNothingWhileNothingChanges(t *testing.T) {
	d := newDesk(t, 2)
	d.insert(0, newCard(t, 11, "5.7.4"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	looked := make(chan struct{}, 1)
	d.setFault(nil)
	go func() { ended <- piv.Wait(ctx, serial) }()
	go func() {
		for range piv.Watch(ctx) {
			looked <- struct{}{}
		}
		ended <- ctx.Err()
	}()
	<-looked
	for d.sent() < 6 { // the two have asked the card who it is
		time.Sleep(time.Millisecond)
	}
	release := hold(t, d.Names()[0])
	time.Sleep(2500 * time.Millisecond) // two rounds and more
	release()
	if got := d.sent(); got != 6 {
		t.Errorf("%d commands were sent, not 6", got)
	}
	d.insert(1, newCard(t, 12, "5.7.4"))
	<-looked
	if got := d.sent(); got < 9 {
		t.Errorf("%d commands after another card came", got)
	}
	stop()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if got := d.sent(); got > 12 {
		t.Errorf("%d commands for two cards that each were asked for twice", got)
	}
}

func TestWatchTellsOfEveryChange(t *testing.T) {
	d := newDesk(t, 2)
	next, stop := iter.Pull2(piv.Watch(t.Context()))
	defer stop()
	sees := func(what string, want ...uint32) {
		t.Helper()
		found, err, ok := next()
		if err != nil || !ok || len(found) != len(want) {
			t.Fatalf("%s: %v, %v, %v", what, found, err, ok)
		}
		for i, f := range found {
			if f.Identity.Serial != want[i] || (want[i] == 0) != errors.Is(f.Err, piv.ErrNoCard) {
				t.Errorf("%s: reader %d holds %d (%v), want %d", what, i, f.Identity.Serial, f.Err, want[i])
			}
		}
	}
	sees("empty", 0, 0)
	d.insert(1, newCard(t, 11, "5.7.4"))
	sees("a card", 0, 11)
	d.remove(1)
	d.insert(1, newCard(t, 12, "5.7.4"))
	sees("another in its place", 0, 12)
	d.insert(0, newCard(t, 13, "5.4.3"))
	sees("a second one", 13, 12)
	d.Close()
	if _, err, ok := next(); !ok || !errors.Is(err, piv.ErrNoService) {
		t.Fatalf("the service is gone: %v, %v", err, ok)
	}
	newDesk(t, 1).insert(0, newCard(t, serial, "5.7.4"))
	for {
		found, err, ok := next()
		if !ok {
			t.Fatal("the watch ended")
		}
		if err == nil && len(found) == 1 && found[0].Identity.Serial == serial {
			break
		}
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	newDesk(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for _, err := range piv.Watch(ctx) {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestWaitOutlastsTheService(t *testing.T) {
	newDesk(t, 1).Close()
	back := make(chan error, 1)
	go func() { back <- piv.Wait(t.Context(), serial) }()
	newDesk(t, 1).insert(0, newCard(t, serial, "5.7.4"))
	if err := <-back; err != nil {
		t.Fatal(err)
	}
}

func TestReaderThatGoesAwayWithItsCard(t *testing.T) {
	d := newDesk(t, 2, pcscd.Tokens())
	virtual := newCard(t, serial, "5.7.4")
	if _, err := piv.Open(t.Context(), 0, quick()); !errors.Is(err, piv.ErrNoReader) {
		t.Errorf("nothing plugged in: %v", err)
	}
	d.insert(0, virtual)
	card := open(t, 0, quick())
	d.remove(0)
	if _, err := card.Protection(t.Context()); !errors.Is(err, piv.ErrRemoved) {
		t.Errorf("unplugged: %v", err)
	}
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); !errors.Is(err, piv.ErrRemoved) {
		t.Errorf("unplugged: %v", err)
	}
	d.insert(1, virtual)
	if err := card.VerifyPIN(t.Context(), piv.FactoryPIN()); err != nil {
		t.Errorf("plugged in elsewhere: %v", err)
	}
}
