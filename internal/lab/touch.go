package lab

import (
	"sync"
	"time"
)

// touchPatience is how long a YubiKey waits for a finger.
const touchPatience = 15 * time.Second

// touchpad is the finger on the cards.
type touchpad struct {
	mu      sync.Mutex
	manual  bool
	closed  bool
	waiting int
	touched chan struct{} // closed and replaced at each touch
}

func newTouchpad(manual bool) *touchpad {
	return &touchpad{manual: manual, touched: make(chan struct{})}
}

// wait is called by a card: it returns true once the card is touched, false
// when nobody does, or when the card is gone.
func (t *touchpad) wait(gone <-chan struct{}) bool {
	t.mu.Lock()
	if !t.manual || t.closed {
		defer t.mu.Unlock()
		return !t.closed
	}
	touched := t.touched
	t.waiting++
	t.mu.Unlock()

	timer := time.NewTimer(touchPatience)
	defer timer.Stop()
	done := false
	select {
	case <-touched:
		done = true
	case <-timer.C:
	case <-gone:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting--
	return done && !t.closed
}

// touch touches every card that waits, and returns how many did.
func (t *touchpad) touch() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting := t.waiting
	close(t.touched)
	t.touched = make(chan struct{})
	return waiting
}

// close ends every wait, now and later.
func (t *touchpad) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	close(t.touched)
	t.touched = make(chan struct{})
}

func (t *touchpad) set(manual bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.manual = manual
}

func (t *touchpad) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting
}

// Touch touches every card that waits for a finger, and returns how many did.
func (l *Lab) Touch() int { return l.touch.touch() }

// WaitingForTouch tells how many cards wait for a finger.
func (l *Lab) WaitingForTouch() int { return l.touch.count() }

// SetManualTouch switches between cards that wait for Touch and cards that are
// touched at once.
func (l *Lab) SetManualTouch(manual bool) { l.touch.set(manual) }
