package pcscd

import "testing"

func (p *program) event() uint32 {
	p.t.Helper()
	var body eventBody
	p.receive(&body)
	return body.RV
}

func TestWaitForInsertionAndRemoval(t *testing.T) {
	s, socket := start(t, 1)
	p := dial(t, socket)
	if all := p.states(cmdWaitStateChange); all[0].State != stateAbsent {
		t.Errorf("first state: %#x", all[0].State)
	}
	insert(t, s, 0, &scripted{})
	if rv := p.event(); rv != codeSuccess {
		t.Errorf("event: %#x", rv)
	}
	if all := p.states(cmdWaitStateChange); all[0].State != stateReady || all[0].Events != 1 {
		t.Errorf("state after insertion: %+v", all[0])
	}
	remove(t, s, 0)
	if rv := p.event(); rv != codeSuccess {
		t.Errorf("event: %#x", rv)
	}
	if all := p.states(cmdGetReadersState); all[0].State != stateAbsent || all[0].Events != 2 {
		t.Errorf("state after removal: %+v", all[0])
	}
}

func TestOneMessagePerWait(t *testing.T) {
	s, socket := start(t, 1)
	p := dial(t, socket)

	// Told of a change, then stopping: no second message, so that the next
	// reply is that of the next request.
	p.states(cmdWaitStateChange)
	insert(t, s, 0, &scripted{})
	remove(t, s, 0)
	p.send(cmdStopWaiting, nil, nil)
	if rv := p.event(); rv != codeSuccess {
		t.Errorf("event: %#x", rv)
	}
	if all := p.states(cmdWaitStateChange); all[0].Events != 2 {
		t.Errorf("the stream is out of step: %+v", all[0])
	}

	// Stopping without a change is answered.
	p.send(cmdStopWaiting, nil, nil)
	if rv := p.event(); rv != codeSuccess {
		t.Errorf("stop: %#x", rv)
	}
	insert(t, s, 0, &scripted{})
	if all := p.states(cmdGetReadersState); all[0].Events != 3 {
		t.Errorf("told of a change after stopping: %+v", all[0])
	}
}

func TestCancel(t *testing.T) {
	s, socket := start(t, 1)
	p, other := dial(t, socket), dial(t, socket)
	p.states(cmdWaitStateChange)
	body := handleBody{Handle: p.context}
	other.call(cmdCancel, &body)
	if body.RV != codeSuccess {
		t.Errorf("cancel: %#x", body.RV)
	}
	if rv := p.event(); rv != codeCancelled {
		t.Errorf("the wait ended with %#x", rv)
	}
	body = handleBody{Handle: p.context}
	other.call(cmdCancel, &body)
	if body.RV != codeSuccess {
		t.Errorf("cancel of no wait: %#x", body.RV)
	}
	body = handleBody{Handle: ^p.context}
	other.call(cmdCancel, &body)
	if body.RV != codeInvalidHandle {
		t.Errorf("cancel of no context: %#x", body.RV)
	}
	insert(t, s, 0, &scripted{})
	if all := p.states(cmdGetReadersState); all[0].Events != 1 {
		t.Errorf("the stream is out of step: %+v", all[0])
	}
}
