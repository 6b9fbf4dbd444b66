package cli_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// estServer puts a server with TLS before the lab's EST server, $EST, whose certificate is in
// est-ca.pem: est [nochain]. It asks for a client certificate, and for desk's password "correct
// horse"; the first request is to be asked again after ten minutes, and with nochain its own
// certificates cannot be had. What it was asked for is in est-calls.
func estServer(ts *testscript.TestScript, neg bool, args []string) {
	inside, err := url.Parse(ts.Getenv("CSE_PIV_ISSUER"))
	ts.Check(err)
	inside.Path = ""
	proxy, calls := httputil.NewSingleHostReverseProxy(inside), ts.MkAbs("est-calls")
	var mutex sync.Mutex
	deferred := false
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		operation := path.Base(r.URL.Path)
		user, password, _ := r.BasicAuth()
		switch {
		case user != "desk" || password != "correct horse":
			w.WriteHeader(http.StatusUnauthorized)
			return
		case operation == "cacerts" && len(args) > 0:
			w.WriteHeader(http.StatusInternalServerError)
		case operation != "cacerts" && !deferred:
			deferred = true
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusAccepted)
		default:
			proxy.ServeHTTP(w, r)
		}
		file, err := os.OpenFile(calls, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintln(file, operation)
			_ = file.Close()
		}
		if err != nil {
			panic(err)
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Check(os.WriteFile(ts.MkAbs("est-ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	ts.Check(os.WriteFile(calls, nil, 0o600))
	ts.Setenv("EST", server.URL+"/.well-known/est")
}
