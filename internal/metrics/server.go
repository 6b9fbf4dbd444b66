package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// headerTime, answerTime and idleTime bound what a client may take.
	headerTime, answerTime, idleTime = 5 * time.Second, 15 * time.Second, time.Minute
	maxHeader                        = 16 << 10
	// maxScrapes is how many are answered at once.
	maxScrapes = 4
	// closeTime is how long the end waits for answers under way: longer than they wait for
	// the ledger.
	closeTime = lookTime + time.Second
)

// What is wrong with an address.
var (
	ErrAddress = errors.New("it is not HOST:PORT")
	ErrRemote  = errors.New("other machines can reach it") // and that was not allowed
	ErrInUse   = errors.New("another process listens there")
)

// Check is a part of being ready.
type Check struct {
	Name string // one word
	OK   bool
	Text string // how it stands, without names of users, machines or files
}

// Handler answers /metrics with the figures, /healthz as long as the process lives, and
// /readyz with 200 when all checks are passed, otherwise 503. ready is called from several
// goroutines at once.
func Handler(m *Metrics, ready func(context.Context) []Check) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes, DisableCompression: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), lookTime)
		defer cancel()
		status, text := http.StatusOK, ""
		for _, check := range ready(ctx) {
			word := "ok"
			if !check.OK {
				status, word = http.StatusServiceUnavailable, "failed"
			}
			text += fmt.Sprintf("%s: %s: %s\n", check.Name, word, check.Text)
		}
		answer(w, status, text)
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// Server serves until it is closed.
type Server struct {
	address net.Addr
	http    *http.Server
	ended   chan struct{}
}

// Serve listens at HOST:PORT, port 0 for any, and answers in a goroutine of its own until
// Close. remote allows addresses that other machines can reach. Errors match ErrAddress,
// ErrRemote or ErrInUse, or are the system's.
func Serve(address string, remote bool, handler http.Handler) (*Server, error) {
	if host, _, err := net.SplitHostPort(address); err != nil || host == "" {
		return nil, ErrAddress
	}
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if !to.IP.IsLoopback() && !remote {
		return nil, ErrRemote
	}
	listener, err := net.ListenTCP("tcp", to)
	if errors.Is(err, addressInUse) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	s := &Server{address: listener.Addr(), ended: make(chan struct{}), http: &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0),
	}}
	go func() {
		defer close(s.ended)
		_ = s.http.Serve(listener) // ends with Close
	}()
	return s, nil
}

// URL is where the figures are.
func (s *Server) URL() string { return "http://" + s.address.String() + "/metrics" }

// Close ends the server: answers under way may come to their end; those that nobody reads
// are cut off after some seconds. It may be called more than once.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.ended
}
