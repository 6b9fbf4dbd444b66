package pcscd

import (
	"sync"
	"sync/atomic"
)

// reader is one slot. Everything in it is guarded by the server's mutex.
type reader struct {
	index    int
	name     string
	token    bool     // a device that is reader and card in one
	session  *session // nil: empty
	events   uint32   // insertions and removals so far
	attached map[*handle]struct{}
	lock     *handle // the holder of the transaction
	depth    int     // how often it began one
	released chan struct{}
}

// session is a card in a reader with unbroken contact. Where nothing else is
// said, it is guarded by the server's mutex.
type session struct {
	card Card
	lost chan struct{} // closed when the contact breaks
	// protocol is the one agreed on since the card's power came on.
	protocol  uint32
	unpowered bool          // left so by SCARD_UNPOWER_CARD
	used      chan struct{} // closed when the grace ends early; nil without one
	// stale asks for a power cycle before the next command. The cycle is put
	// off so that nobody waits for a busy card while holding the server's mutex.
	stale atomic.Bool
	busy  sync.Mutex // one command at a time
}

// handle is one connection of a program to a card.
type handle struct {
	id       uint32
	client   *client
	reader   *reader
	share    uint32
	protocol uint32
	// event is what happened to the card behind the program's back: every call
	// answers it until the program reconnects.
	event uint32
}

func newReader(index int, name string, token bool) *reader {
	return &reader{
		index: index, name: name, token: token,
		attached: map[*handle]struct{}{}, released: make(chan struct{}),
	}
}

func newSession(card Card) *session {
	ses := &session{card: card, lost: make(chan struct{})}
	ses.stale.Store(true)
	return ses
}

// away tells that the reader left together with its card.
func (r *reader) away() bool { return r.token && r.session == nil }

// sharing is how the reader is used: 0 not at all, n by n connections, or
// sharingExclusive.
func (r *reader) sharing() int32 {
	for h := range r.attached {
		if h.share == shareExclusive {
			return sharingExclusive
		}
	}
	return int32(len(r.attached))
}

// acquire takes the transaction for h, once more if h has it already.
func (r *reader) acquire(h *handle) bool {
	if r.lock != nil && r.lock != h {
		return false
	}
	r.lock = h
	r.depth++
	return true
}

// release gives the transaction up altogether and wakes who waits for it.
func (r *reader) release() {
	r.lock, r.depth = nil, 0
	close(r.released)
	r.released = make(chan struct{})
}

// changed counts an insertion or a removal.
func (r *reader) changed(s *Server) {
	r.events++
	if r.token {
		s.comings++
	}
}

// state is the reader as programs see it; all zeros when it is not there.
func (r *reader) state() readerState {
	if r.away() {
		return readerState{}
	}
	state := readerState{Events: r.events, State: stateAbsent, Sharing: r.sharing()}
	copy(state.Name[:], r.name)
	if r.session != nil {
		if state.State = stateReady; r.session.unpowered {
			state.State = statePresent
		}
		state.ATRSize = uint32(copy(state.ATR[:], r.session.card.ATR()))
		state.Protocol = r.session.protocol
	}
	return state
}

// lose breaks the contact to the card: every connection ends with that event,
// exclusive use and transactions with it. With a next session the card (the
// same one) is back at once. The caller holds the server's mutex.
func (s *Server) lose(r *reader, event uint32, next *session) {
	if r.token && next == nil {
		event = codeReaderUnavailable
	}
	for h := range r.attached {
		h.event = event
	}
	clear(r.attached)
	r.release()
	close(r.session.lost)
	r.session = next
	r.changed(s)
	if next != nil {
		r.changed(s)
	}
	s.notify()
}
