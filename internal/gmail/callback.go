package gmail

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// errOtherState is returned for an answer to another login than this one (RFC 6749
// section 10.12).
var errOtherState = errors.New("the browser brought the answer to another login")

// consentError is an answer without a code (RFC 6749 section 4.1.2.1).
type consentError struct{ code string }

func (e *consentError) Error() string {
	if e.code == "access_denied" {
		return "it was not allowed at the browser"
	}
	return "the browser brought no code"
}

// callback waits on loopback for where the browser is sent after the login (RFC 8252
// section 7.3).
type callback struct {
	listener net.Listener
	server   *http.Server
	state    string
	answers  chan answerOfBrowser // of one; more are not waited for
	done     chan struct{}        // closed when the server has ended
}

type answerOfBrowser struct {
	code string
	err  error
}

func newCallback(state string) (*callback, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &callback{listener: listener, state: state, answers: make(chan answerOfBrowser, 1), done: make(chan struct{})}
	c.server = &http.Server{Handler: http.HandlerFunc(c.serve), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() {
		defer close(c.done)
		_ = c.server.Serve(listener) // ends with close
	}()
	return c, nil
}

func (c *callback) address() string { return "http://" + c.listener.Addr().String() + "/" }

// wait returns the code that the browser brings.
func (c *callback) wait(ctx context.Context) (string, error) {
	select {
	case answer := <-c.answers:
		return answer.code, answer.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// close lets the browser have its page, and ends.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
	<-c.done
}

func (c *callback) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	switch {
	case r.Method != http.MethodGet || r.URL.Path != "/" || r.Host != c.listener.Addr().String():
		http.NotFound(w, r)
		return
	case !query.Has("state") && !query.Has("code") && !query.Has("error"):
		http.NotFound(w, r)
		return
	}
	answer := answerOfBrowser{code: query.Get("code")}
	switch {
	case subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1:
		answer = answerOfBrowser{err: errOtherState}
	case answer.code == "":
		answer.err = &consentError{safetext.Message(query.Get("error"))}
	}
	select {
	case c.answers <- answer:
	default: // there is an answer already
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	text := "You are logged in. Close this page and go back to cse-piv."
	if answer.err != nil {
		w.WriteHeader(http.StatusBadRequest)
		text = fmt.Sprintf("This did not work: %v. Close this page and go back to cse-piv.", answer.err)
	}
	_, _ = io.WriteString(w, text+"\n")
}
