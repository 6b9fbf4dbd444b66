package pcscd

import (
	"sync/atomic"
	"testing"
)

func TestPullDuringCommand(t *testing.T) {
	s, socket := start(t, 1)
	card := &scripted{hold: make(chan struct{}), entered: make(chan struct{})}
	insert(t, s, 0, card)
	name := s.Names()[0]
	p, other := dial(t, socket), dial(t, socket)
	h := p.mustConnect(name, shareExclusive)
	p.sendTransmit(h, []byte{1})
	<-card.entered
	remove(t, s, 0)
	if _, rv := p.receiveTransmit(); rv != codeRemovedCard {
		t.Errorf("the command in flight: %#x", rv)
	}
	if _, rv := p.transmit(h, 2); rv != codeRemovedCard {
		t.Errorf("a later command: %#x", rv)
	}
	if rv := p.reconnect(h, shareExclusive, leaveCard); rv != codeNoSmartcard {
		t.Errorf("reconnect without card: %#x", rv)
	}
	if rv := p.end(h, leaveCard); rv != codeRemovedCard {
		t.Errorf("end of a transaction that ended with the card: %#x", rv)
	}

	// Another card is served at once, although the first is still busy and
	// although the old exclusive handle was not closed.
	second := &scripted{}
	insert(t, s, 0, second)
	ho := other.mustConnect(name, shareExclusive)
	if _, rv := other.transmit(ho, 3); rv != codeSuccess {
		t.Errorf("the next card: %#x", rv)
	}
	if rv := p.reconnect(h, shareShared, leaveCard); rv != codeSharingViolation {
		t.Errorf("reconnect beside exclusive: %#x", rv)
	}
	if rv := p.disconnect(h, leaveCard); rv != codeSuccess {
		t.Errorf("disconnect of the old handle: %#x", rv)
	}
	if _, rv := other.transmit(ho, 4); rv != codeSuccess {
		t.Errorf("after the old handle was closed: %#x", rv)
	}
	close(card.hold)
	if commands, resets := second.seen(); commands != 2 || resets != 1 {
		t.Errorf("the next card saw %d commands and %d resets", commands, resets)
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name     string
		verdict  Verdict
		rv       uint32
		back     bool
		executed bool
	}{
		{"pulled before", Pulled, codeRemovedCard, false, false},
		{"pulled after", Pulled, codeRemovedCard, false, true},
		{"glitch, reset", GlitchReset, codeResetCard, true, false},
		{"glitch, removed", GlitchRemoved, codeRemovedCard, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bad atomic.Bool
			s, socket := start(t, 1, Intercept(func(reader int, command []byte, next func([]byte) []byte) ([]byte, Verdict) {
				if reader != 0 {
					t.Errorf("reader %d", reader)
				}
				if !bad.Swap(false) {
					return next(command), Delivered
				}
				if c.executed {
					next(command)
				}
				return nil, c.verdict
			}))
			card := &scripted{}
			insert(t, s, 0, card)
			name := s.Names()[0]
			a, b := dial(t, socket), dial(t, socket)
			ha, hb := a.mustConnect(name, shareShared), b.mustConnect(name, shareShared)
			if rv := a.begin(ha); rv != codeSuccess {
				t.Fatal(rv)
			}
			bad.Store(true)
			if _, rv := a.transmit(ha, 1); rv != c.rv {
				t.Errorf("transmit: %#x, want %#x", rv, c.rv)
			}
			if rv := a.status(ha); rv != c.rv {
				t.Errorf("status: %#x", rv)
			}
			if rv := b.begin(hb); rv != c.rv {
				t.Errorf("the other connection: %#x", rv)
			}
			commands, _ := card.seen()
			if (commands == 1) != c.executed {
				t.Errorf("%d commands executed", commands)
			}
			_, rv := a.connect(name, shareExclusive)
			if want := map[bool]uint32{true: codeSuccess, false: codeNoSmartcard}[c.back]; rv != want {
				t.Errorf("connect again: %#x, want %#x", rv, want)
			}
			if _, err := s.Card(0); (err == nil) != c.back {
				t.Errorf("card: %v", err)
			}
		})
	}
}

func TestAnswerLargerThanBuffer(t *testing.T) {
	s, socket := start(t, 1)
	insert(t, s, 0, &scripted{})
	p := dial(t, socket)
	h := p.mustConnect(s.Names()[0], shareShared)
	p.send(cmdTransmit, &transmitBody{Card: h, SendProtocol: protoT1, SendSize: 3, RecvSize: 4}, []byte{1, 2, 3})
	if _, rv := p.receiveTransmit(); rv != codeInsufficientBuffer {
		t.Errorf("five bytes into four: %#x", rv)
	}
	p.send(cmdTransmit, &transmitBody{Card: h, SendProtocol: 1, SendSize: 3, RecvSize: 40}, []byte{1, 2, 3})
	if _, rv := p.receiveTransmit(); rv != codeProtoMismatch {
		t.Errorf("T=0: %#x", rv)
	}
}

func TestCloseWhileCardIsBusy(t *testing.T) {
	s, socket := start(t, 1)
	card := &scripted{hold: make(chan struct{}), entered: make(chan struct{})}
	insert(t, s, 0, card)
	p := dial(t, socket)
	h := p.mustConnect(s.Names()[0], shareShared)
	p.sendTransmit(h, []byte{1})
	<-card.entered
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	select {
	case <-done:
		t.Error("Close did not wait for the card")
	default:
	}
	close(card.hold)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
