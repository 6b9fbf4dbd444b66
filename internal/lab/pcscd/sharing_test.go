package pcscd

import (
	"sync"
	"testing"
	"time"
)

func TestExclusiveAndShared(t *testing.T) {
	s, socket := start(t, 1)
	insert(t, s, 0, &scripted{})
	name := s.Names()[0]
	a, b := dial(t, socket), dial(t, socket)

	h := a.mustConnect(name, shareExclusive)
	if got := b.states(cmdGetReadersState)[0].Sharing; got != sharingExclusive {
		t.Errorf("sharing %d with an exclusive connection", got)
	}
	for _, share := range []uint32{shareExclusive, shareShared, shareDirect} {
		if _, rv := b.connect(name, share); rv != codeSharingViolation {
			t.Errorf("share %d beside exclusive: %#x", share, rv)
		}
	}
	if rv := a.reconnect(h, shareShared, leaveCard); rv != codeSuccess {
		t.Fatalf("to shared: %#x", rv)
	}
	hb := b.mustConnect(name, shareShared)
	if got := b.states(cmdGetReadersState)[0].Sharing; got != 2 {
		t.Errorf("sharing %d with two connections", got)
	}
	if _, rv := dial(t, socket).connect(name, shareExclusive); rv != codeSharingViolation {
		t.Errorf("exclusive beside shared: %#x", rv)
	}
	if rv := a.reconnect(h, shareExclusive, leaveCard); rv != codeSharingViolation {
		t.Errorf("to exclusive beside shared: %#x", rv)
	}
	if rv := b.disconnect(hb, leaveCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	if rv := a.reconnect(h, shareExclusive, leaveCard); rv != codeSuccess {
		t.Errorf("to exclusive when alone: %#x", rv)
	}
}

func TestModesAreChecked(t *testing.T) {
	s, socket := start(t, 1)
	insert(t, s, 0, &scripted{})
	p := dial(t, socket)
	for _, c := range []struct{ share, preferred, want uint32 }{
		{0, protoT1, codeInvalidValue},
		{4, protoT1, codeInvalidValue},
		{shareShared, 0, codeProtoMismatch},
		{shareShared, 1, codeProtoMismatch}, // T=0, which the card does not speak
		{shareShared, protoRaw, codeSuccess},
		{shareDirect, 0, codeSuccess},
	} {
		body := connectBody{Context: p.context, Share: c.share, Preferred: c.preferred}
		copy(body.Reader[:], s.Names()[0])
		p.call(cmdConnect, &body)
		if body.RV != c.want {
			t.Errorf("share %d, protocols %#x: %#x, want %#x", c.share, c.preferred, body.RV, c.want)
		}
	}
	h := p.mustConnect(s.Names()[0], shareShared)
	if rv := p.disconnect(h, 4); rv != codeInvalidValue {
		t.Errorf("unknown disposition: %#x", rv)
	}
	if rv := p.end(h, leaveCard); rv != codeNotTransacted {
		t.Errorf("end of no transaction: %#x", rv)
	}
}

func TestTransactionKeepsOthersOut(t *testing.T) {
	s, socket := start(t, 1)
	card := &scripted{}
	insert(t, s, 0, card)
	name := s.Names()[0]
	a, b := dial(t, socket), dial(t, socket)
	ha, hb := a.mustConnect(name, shareShared), b.mustConnect(name, shareShared)

	for range 2 { // transactions nest
		if rv := a.begin(ha); rv != codeSuccess {
			t.Fatalf("begin: %#x", rv)
		}
	}
	if rv := b.begin(hb); rv != codeSharingViolation {
		t.Errorf("second transaction: %#x", rv)
	}
	if _, rv := b.transmit(hb, 1); rv != codeSharingViolation {
		t.Errorf("transmit into a transaction: %#x", rv)
	}
	if rv := b.end(hb, leaveCard); rv != codeSharingViolation {
		t.Errorf("end of somebody else's transaction: %#x", rv)
	}
	if rv := b.status(hb); rv != codeSharingViolation {
		t.Errorf("status in a transaction: %#x", rv)
	}
	if _, rv := a.transmit(ha, 1); rv != codeSuccess {
		t.Errorf("transmit in one's own transaction: %#x", rv)
	}
	if rv := a.end(ha, leaveCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	if rv := b.begin(hb); rv != codeSharingViolation {
		t.Errorf("transaction ended after one of two ends: %#x", rv)
	}

	// A third program that connects waits for the end.
	done := make(chan uint32, 1)
	c := dial(t, socket)
	go func() {
		_, rv := c.connect(name, shareShared)
		done <- rv
	}()
	if rv := a.end(ha, leaveCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	if rv := <-done; rv != codeSuccess {
		t.Errorf("connect after the transaction: %#x", rv)
	}
	if rv := b.begin(hb); rv != codeSuccess {
		t.Errorf("begin after the transaction: %#x", rv)
	}
}

func TestProgramDiesInTransaction(t *testing.T) {
	s, socket := start(t, 1)
	card := &scripted{}
	insert(t, s, 0, card)
	name := s.Names()[0]
	a, b := dial(t, socket), dial(t, socket)
	ha, hb := a.mustConnect(name, shareShared), b.mustConnect(name, shareShared)
	if rv := a.begin(ha); rv != codeSuccess {
		t.Fatal(rv)
	}
	if _, rv := a.transmit(ha, 1); rv != codeSuccess {
		t.Fatal(rv)
	}
	a.conn.Close()
	// The survivor asks again as libpcsclite does, until the lock is gone, and
	// is told that the card was reset.
	rv := codeSharingViolation
	for rv == codeSharingViolation {
		rv = b.status(hb)
	}
	if rv != codeResetCard {
		t.Errorf("status after the death: %#x", rv)
	}
	if rv := b.reconnect(hb, shareShared, leaveCard); rv != codeSuccess {
		t.Errorf("reconnect: %#x", rv)
	}
	if _, rv := b.transmit(hb, 2); rv != codeSuccess {
		t.Errorf("transmit: %#x", rv)
	}
	if _, resets := card.seen(); resets != 2 {
		t.Errorf("%d resets, want 2: insertion and death", resets)
	}
}

func TestPowerCycles(t *testing.T) {
	s, socket := start(t, 1, Grace(time.Hour))
	card := &scripted{}
	insert(t, s, 0, card)
	name := s.Names()[0]
	a, b := dial(t, socket), dial(t, socket)
	expect := func(step string, p *program, h uint32, want int) {
		t.Helper()
		if _, rv := p.transmit(h, 1); rv != codeSuccess {
			t.Fatalf("%s: transmit %#x", step, rv)
		}
		if _, resets := card.seen(); resets != want {
			t.Errorf("%s: %d resets, want %d", step, resets, want)
		}
	}
	ha := a.mustConnect(name, shareShared)
	expect("insertion", a, ha, 1)
	a.disconnect(ha, leaveCard)
	ha = a.mustConnect(name, shareShared)
	expect("last connection closed", a, ha, 1)
	hb := b.mustConnect(name, shareShared)
	b.disconnect(hb, leaveCard)
	expect("another connection closed", a, ha, 1)
	hb = b.mustConnect(name, shareShared)
	b.disconnect(hb, resetCard)
	if rv := a.status(ha); rv != codeResetCard {
		t.Errorf("status after a reset by another: %#x", rv)
	}
	if rv := a.begin(ha); rv != codeResetCard {
		t.Errorf("begin after a reset by another: %#x", rv)
	}
	if rv := a.reconnect(ha, shareShared, leaveCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	expect("reset by another", a, ha, 2)
	if rv := a.reconnect(ha, shareShared, unpowerCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	expect("own reset", a, ha, 3)
	if rv := a.end(ha, resetCard); rv != codeNotTransacted {
		t.Errorf("end of no transaction: %#x", rv)
	}
	if rv := a.begin(ha); rv != codeSuccess {
		t.Fatal(rv)
	}
	if rv := a.end(ha, resetCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	if rv := a.reconnect(ha, shareShared, leaveCard); rv != codeSuccess {
		t.Fatal(rv)
	}
	expect("reset at the end of a transaction", a, ha, 4)
	a.disconnect(ha, resetCard)
	ha = a.mustConnect(name, shareShared)
	expect("last connection closed with a reset", a, ha, 5)
}

func TestConcurrentPrograms(t *testing.T) {
	s, socket := start(t, 2)
	cards := []*scripted{{}, {}}
	insert(t, s, 0, cards[0])
	insert(t, s, 1, cards[1])
	const programs, rounds = 6, 20
	var wg sync.WaitGroup
	for i := range programs {
		p := dial(t, socket)
		name := s.Names()[i%2]
		wg.Go(func() {
			for range rounds {
				h, rv := p.connect(name, shareShared)
				if rv != codeSuccess {
					t.Errorf("connect: %#x", rv)
					return
				}
				for rv = codeSharingViolation; rv == codeSharingViolation; {
					rv = p.begin(h)
				}
				if rv != codeSuccess {
					t.Errorf("begin: %#x", rv)
				}
				if _, rv := p.transmit(h, byte(i)); rv != codeSuccess {
					t.Errorf("transmit: %#x", rv)
				}
				if rv := p.end(h, leaveCard); rv != codeSuccess {
					t.Errorf("end: %#x", rv)
				}
				if rv := p.disconnect(h, leaveCard); rv != codeSuccess {
					t.Errorf("disconnect: %#x", rv)
				}
			}
		})
	}
	wg.Wait()
	for i, card := range cards {
		if commands, _ := card.seen(); commands != programs/2*rounds {
			t.Errorf("card %d saw %d commands", i, commands)
		}
	}
}
