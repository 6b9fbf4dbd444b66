package pcscd

import (
	"testing"
	"time"
)

// resets sends the card a command over a new connection and returns how often
// it was powered up so far.
func (p *program) resets(name string, card *scripted) int {
	p.t.Helper()
	h := p.mustConnect(name, shareShared)
	if _, rv := p.transmit(h, 1); rv != codeSuccess {
		p.t.Fatalf("transmit: %#x", rv)
	}
	_, resets := card.seen()
	if rv := p.disconnect(h, leaveCard); rv != codeSuccess {
		p.t.Fatalf("disconnect: %#x", rv)
	}
	return resets
}

func TestGraceIsThatOfPCSCD(t *testing.T) {
	for _, options := range [][]Option{nil, {Grace(0)}} {
		if s, _ := start(t, 0, options...); s.grace != 5*time.Second {
			t.Errorf("%d options: %v", len(options), s.grace)
		}
	}
}

func fresh(t *testing.T, s *Server) bool {
	t.Helper()
	fresh, err := s.Fresh(0)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

// TestGrace closes the last connection to a card and comes back: within the
// grace the card is as it was left, after it as if new.
func TestGrace(t *testing.T) {
	for _, c := range []struct {
		name  string
		grace time.Duration
		ends  bool
	}{
		{"an hour", time.Hour, false},
		{"a moment", time.Millisecond, true},
		{"none", -1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, socket := start(t, 1, Grace(c.grace))
			card := &scripted{}
			insert(t, s, 0, card)
			a, b := dial(t, socket), dial(t, socket)
			if !fresh(t, s) {
				t.Error("a card that was just put in is not fresh")
			}
			if got := a.resets(s.Names()[0], card); got != 1 {
				t.Fatalf("%d resets after the insertion", got)
			}
			want := 1
			if c.ends {
				want = 2
				for !fresh(t, s) {
					time.Sleep(time.Millisecond)
				}
			}
			state := a.states(cmdGetReadersState)[0]
			if state.State != stateReady || state.Events != 1 || (state.Protocol == protoUndefined) != c.ends {
				t.Errorf("state %#x, %d events, protocol %d", state.State, state.Events, state.Protocol)
			}
			if got := b.resets(s.Names()[0], card); got != want {
				t.Errorf("%d resets for the second program, want %d", got, want)
			}
		})
	}
}

// TestGraceEndsUnheard waits for a change while the grace ends: pcscd tells
// nobody of that.
func TestGraceEndsUnheard(t *testing.T) {
	s, socket := start(t, 1, Grace(time.Millisecond))
	card := &scripted{}
	insert(t, s, 0, card)
	a, b := dial(t, socket), dial(t, socket)
	a.resets(s.Names()[0], card)
	b.states(cmdWaitStateChange)
	for !fresh(t, s) {
		time.Sleep(time.Millisecond)
	}
	b.send(cmdStopWaiting, nil, nil)
	if rv := b.event(); rv != codeSuccess {
		t.Errorf("stop: %#x", rv)
	}
	if all := b.states(cmdGetReadersState); all[0].Events != 1 {
		t.Errorf("the stream is out of step: %+v", all[0])
	}
}

// TestGraceOfAnotherCard pulls a card in its grace and puts another in: the end
// of the first one's grace is not the second one's.
func TestGraceOfAnotherCard(t *testing.T) {
	s, socket := start(t, 1, Grace(20*time.Millisecond))
	first, second := &scripted{}, &scripted{}
	insert(t, s, 0, first)
	name := s.Names()[0]
	a, b := dial(t, socket), dial(t, socket)
	a.resets(name, first)
	remove(t, s, 0)
	insert(t, s, 0, second)
	h := a.mustConnect(name, shareShared)
	if _, rv := a.transmit(h, 1); rv != codeSuccess {
		t.Fatal(rv)
	}
	time.Sleep(40 * time.Millisecond) // right also when it takes much longer
	if got := b.resets(name, second); got != 1 {
		t.Errorf("%d resets of a card in use, want 1", got)
	}
}

func TestUnpoweredCard(t *testing.T) {
	s, socket := start(t, 1, Grace(time.Hour))
	card := &scripted{}
	insert(t, s, 0, card)
	name := s.Names()[0]
	p := dial(t, socket)
	p.disconnect(p.mustConnect(name, shareShared), unpowerCard)
	if state := p.states(cmdGetReadersState)[0]; state.State != statePresent || state.Protocol != protoUndefined {
		t.Errorf("left without power: %#x, protocol %d", state.State, state.Protocol)
	}
	// A connection to the reader alone does not power the card up.
	direct := p.mustConnect(name, shareDirect)
	if state := p.states(cmdGetReadersState)[0]; state.State != statePresent {
		t.Errorf("after a direct connection: %#x", state.State)
	}
	p.disconnect(direct, leaveCard)
	p.mustConnect(name, shareShared)
	if state := p.states(cmdGetReadersState)[0]; state.State != stateReady || state.Protocol != protoT1 {
		t.Errorf("connected again: %#x, protocol %d", state.State, state.Protocol)
	}
}

// TestResetOfAnEmptyReader closes direct connections with a reset where there
// is nothing to reset.
func TestResetOfAnEmptyReader(t *testing.T) {
	s, socket := start(t, 1)
	p := dial(t, socket)
	for _, disposition := range []uint32{resetCard, unpowerCard} {
		h := p.mustConnect(s.Names()[0], shareDirect)
		if rv := p.reconnect(h, shareDirect, disposition); rv != codeSuccess {
			t.Errorf("reconnect: %#x", rv)
		}
		if rv := p.disconnect(h, disposition); rv != codeSuccess {
			t.Errorf("disconnect: %#x", rv)
		}
	}
}
