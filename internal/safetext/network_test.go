package safetext

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestNetworkError: nothing of what Go calls its functions and errors is left, and
// what is not of the network is kept.
func TestNetworkError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, refused := http.Get("http://" + address + "/x")
	if refused == nil {
		t.Fatal("somebody answers")
	}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"refused":    {refused, "no connection to " + address + ": "},
		"no name":    {&url.Error{Op: "Post", URL: "https://no.invalid", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "no.invalid", Server: "10.0.0.1:53", Err: "no such host"}}}, "the name no.invalid cannot be resolved"},
		"too late":   {fmt.Errorf("x: %w", context.DeadlineExceeded), "no answer in time"},
		"cut":        {&url.Error{Op: "Get", URL: "https://x", Err: io.EOF}, "the connection was closed before the answer was complete"},
		"cut inside": {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "the connection was closed before the answer was complete"},
		"other":      {errors.New("the CA is on holiday"), "the CA is on holiday"},
	} {
		got := NetworkError(test.err)
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
		for _, word := range []string{"dial", "tcp", "lookup", "Post", "EOF", "deadline", "connect:"} {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q has %q", name, got, word)
			}
		}
	}
}
