package pcscd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// Card is what sits in a reader: an answer to reset, and commands answered.
type Card interface {
	// ATR returns the answer to reset, at most 33 bytes (ISO/IEC 7816-3).
	ATR() []byte
	// Transmit answers one command APDU with data and status word. It is called
	// by one goroutine at a time as long as the card stays in one reader, and
	// must come back eventually, even when the card was pulled meanwhile.
	Transmit(command []byte) []byte
	// Reset is a power cycle: volatile state is lost.
	Reset()
}

// Verdict is what became of an exchange between reader and card.
type Verdict int

const (
	// Delivered: the answer reaches the program.
	Delivered Verdict = iota
	// Pulled: the card left the reader during the exchange and stays out.
	Pulled
	// GlitchReset: the card lost contact and is back at once; the program is
	// told that the card was reset.
	GlitchReset
	// GlitchRemoved is GlitchReset, but the program is told that the card was
	// removed.
	GlitchRemoved
)

// Interceptor stands between a reader and its card: it counts, delays, or
// misbehaves. It hands the command on by calling next, or not; the answer only
// matters when the verdict is Delivered. It must be safe for concurrent use.
type Interceptor func(reader int, command []byte, next func([]byte) []byte) ([]byte, Verdict)

// Option changes how a Server is set up.
type Option func(*Server)

// Intercept puts an interceptor before every card.
func Intercept(f Interceptor) Option { return func(s *Server) { s.intercept = f } }

// ReaderNames names the readers, in order, instead of naming them as YubiKeys.
// A name is at most 127 bytes.
func ReaderNames(names ...string) Option {
	return func(s *Server) { s.names = slices.Clone(names) }
}

// Tokens makes each reader a device with its card built in, as a YubiKey on USB
// is one: it comes and goes with the card. Without it the readers are desk
// readers, there with or without a card.
func Tokens() Option { return func(s *Server) { s.tokens = true } }

var (
	// ErrNoReader reports a reader number out of range.
	ErrNoReader = errors.New("no such reader")
	// ErrOccupied reports an insertion into a reader that holds a card.
	ErrOccupied = errors.New("there is a card in this reader")
	// ErrInUse reports a socket that another server answers on.
	ErrInUse = errors.New("another server answers on this socket")
	// ErrEmpty reports a removal from an empty reader.
	ErrEmpty = errors.New("there is no card in this reader")
)

// On serves the listener as well, for programs that cannot connect to the socket. Whoever
// can connect to it can use the cards. Close closes it.
func On(listener net.Listener) Option {
	return func(s *Server) { s.listeners = append(s.listeners, listener) }
}

// Server is a resource manager with a fixed number of readers.
type Server struct {
	listeners []net.Listener
	intercept Interceptor
	names     []string
	tokens    bool
	grace     time.Duration
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	readers  []*reader
	clients  map[*client]struct{}
	contexts map[uint32]*client
	handles  map[uint32]*handle
	refuses  bool
	comings  uint32 // how often readers came and went
}

// Refuse has programs that come from now on let in or not, as polkit decides it for a real one.
func (s *Server) Refuse(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = all
}

// Listen serves that many empty readers (0 to 16) on a unix socket, which it
// creates for this user alone, and on the listeners from On. The path may have 107
// bytes at most; where it is empty there is no socket.
func Listen(socket string, readers int, options ...Option) (*Server, error) {
	if len(socket) > maxSocketPath {
		return nil, fmt.Errorf("socket path of %d bytes, at most %d are possible: %s", len(socket), maxSocketPath, socket)
	}
	if readers < 0 || readers > maxReaders {
		return nil, fmt.Errorf("%d readers, at most %d are possible", readers, maxReaders)
	}
	s := &Server{
		intercept: func(_ int, command []byte, next func([]byte) []byte) ([]byte, Verdict) {
			return next(command), Delivered
		},
		clients:  map[*client]struct{}{},
		contexts: map[uint32]*client{},
		handles:  map[uint32]*handle{},
		grace:    DefaultGrace,
	}
	for _, option := range options {
		option(s)
	}
	for i := range readers {
		name := fmt.Sprintf("Yubico YubiKey OTP+FIDO+CCID %02d 00", i)
		if i < len(s.names) {
			name = s.names[i]
		}
		if name == "" || len(name) >= maxReaderName {
			return nil, fmt.Errorf("reader name of %d bytes, 1 to %d are possible", len(name), maxReaderName-1)
		}
		s.readers = append(s.readers, newReader(i, name, s.tokens))
	}
	if socket != "" {
		listener, err := listenPrivately(socket)
		if err != nil {
			return nil, err
		}
		s.listeners = append(s.listeners, listener)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, listener := range s.listeners {
		s.wg.Go(func() { s.accept(listener) })
	}
	return s, nil
}

// listenPrivately makes a socket for this user alone.
func listenPrivately(socket string) (net.Listener, error) {
	if err := clearStale(socket); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for smart card programs: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the socket: %w", err), listener.Close())
	}
	return listener, nil
}

// clearStale removes a socket that a server left behind when it died. One that
// answers belongs to somebody.
func clearStale(socket string) error {
	info, err := os.Lstat(socket)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return nil // nothing there, or something that Listen will refuse
	}
	conn, err := net.Dial("unix", socket)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%w: %s", ErrInUse, socket)
	}
	if err := os.Remove(socket); err != nil {
		return fmt.Errorf("remove the socket of an earlier server: %w", err)
	}
	return nil
}

// Close ends every connection and waits for every goroutine, also for commands
// that a card is still busy with.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.cancel()
	var err error
	for _, listener := range s.listeners {
		err = errors.Join(err, listener.Close())
	}
	for c := range s.clients {
		// The connection is going away; how it ends is of no interest.
		_ = c.conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("close the socket: %w", err)
	}
	return nil
}

// Insert puts a card into a reader: powered up anew, whatever it went through
// before.
func (s *Server) Insert(reader int, card Card) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.reader(reader)
	if err != nil {
		return err
	}
	if r.session != nil {
		return fmt.Errorf("insert into reader %d: %w", reader, ErrOccupied)
	}
	r.session = newSession(card)
	r.changed(s)
	s.notify()
	return nil
}

// Remove takes the card out of a reader. Calls in flight and later calls on
// its handles report the removal; exclusive use and transactions end with it.
func (s *Server) Remove(reader int) (Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.occupied(reader)
	if err != nil {
		return nil, err
	}
	card := r.session.card
	s.lose(r, codeRemovedCard, nil)
	return card, nil
}

// Card returns the card in a reader; the error is ErrNoReader or ErrEmpty.
func (s *Server) Card(reader int) (Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.occupied(reader)
	if err != nil {
		return nil, err
	}
	return r.session.card, nil
}

// Names returns the readers' names as programs see them.
func (s *Server) Names() []string {
	var names []string
	for _, r := range s.readers {
		names = append(names, r.name)
	}
	return names
}

func (s *Server) reader(n int) (*reader, error) {
	if n < 0 || n >= len(s.readers) {
		return nil, fmt.Errorf("reader %d of %d: %w", n, len(s.readers), ErrNoReader)
	}
	return s.readers[n], nil
}

// occupied returns a reader that holds a card.
func (s *Server) occupied(n int) (*reader, error) {
	r, err := s.reader(n)
	if err == nil && r.session == nil {
		return nil, fmt.Errorf("reader %d: %w", n, ErrEmpty)
	}
	return r, err
}

func (s *Server) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return
			}
			// Out of descriptors or an aborted connection: the next one may do.
			continue
		}
		c := &client{server: s, conn: conn}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		s.clients[c] = struct{}{}
		s.wg.Go(c.serve)
		s.mu.Unlock()
	}
}
