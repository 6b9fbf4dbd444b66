// Package lab is the practice lab: virtual YubiKeys behind an in-process PC/SC
// resource manager, a Gmail API with its token endpoint, and an S/MIME CA, on
// loopback and a private unix socket.
//
// Start composes the parts and writes the files that programs need to use
// them. The parts share no code with the product and know nothing of each
// other: faults, time and counting are brought to them from here.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// Lab is a running practice lab. Its methods may be called from several
// goroutines.
type Lab struct {
	options   Options
	dir       string
	socket    string
	url       string // of the HTTP server, with a slash at its end
	temporary []string

	authority *yubikey.Authority
	gmail     *workspace.Server
	ca        *ca.CA
	pcsc      *pcscd.Server
	pcscOn    string // where else than on the socket, host and port
	faults    *fault.Board
	touch     *touchpad
	pace      *pace
	counters  counters
	log       journal

	web  *http.Server
	done sync.WaitGroup

	mu    sync.Mutex
	made  map[*yubikey.Card]*seat
	seats []*seat // what each reader holds or held last
	close func() error
}

// Start sets up a lab and runs it until Close. The context bounds the start
// only.
func Start(ctx context.Context, options Options) (*Lab, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	l := &Lab{
		options: options,
		faults:  fault.New(options.Seed),
		touch:   newTouchpad(options.ManualTouch),
		pace:    newPace(options.CardTiming, options.Seed),
		log:     journal{out: options.Log},
		made:    map[*yubikey.Card]*seat{},
		seats:   make([]*seat, max(options.Readers, 0)),
	}
	l.close = sync.OnceValue(l.shutDown)
	if err := l.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the practice lab: %w", err), l.Close())
	}
	return l, nil
}

func (l *Lab) start(ctx context.Context) error {
	if err := l.makeDir(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.options.Listen)
	if err != nil {
		return fmt.Errorf("listen on loopback: %w", err)
	}
	l.url = "http://" + listener.Addr().String() + "/"
	if err := l.startWorkspace(); err != nil {
		return errors.Join(err, listener.Close())
	}
	l.web = &http.Server{Handler: l.routes(), ReadHeaderTimeout: 10 * time.Second, ConnState: l.counters.connection}
	l.done.Go(func() {
		// It ends with ErrServerClosed; there is nobody to tell of another end.
		_ = l.web.Serve(listener)
	})
	if err := l.startReaders(ctx); err != nil {
		return err
	}
	if err := l.writePeople(); err != nil {
		return err
	}
	if err := l.writeFiles(); err != nil {
		return err
	}
	faults := l.options.Faults
	if l.options.Latency > 0 {
		faults = append([]string{"latency:" + l.options.Latency.String()}, faults...)
	}
	return l.SetFaults(faults...)
}

// startWorkspace makes the domain and the CA that it trusts. They live by the
// domain's clock.
func (l *Lab) startWorkspace() error {
	key, err := l.serviceAccountKey()
	if err != nil {
		return err
	}
	l.gmail, err = workspace.New(workspace.Config{
		Domain: l.options.Domain, Key: key, Fault: l.apiFault, Observe: l.counters.call, FetchCRLs: l.options.FetchCRLs,
	})
	if err != nil {
		return err
	}
	l.gmail.SetScopes(l.delegated()...)
	for i := range l.options.People {
		if err := l.gmail.List(l.personsAddress(i), workspace.Listing{}); err != nil {
			return err
		}
	}
	l.ca, err = loadOrMakeCA(filepath.Join(l.dir, caDir), ca.Config{Clock: l.gmail.Now, BaseURL: trimSlash(l.url)})
	if err != nil {
		return err
	}
	roots, err := readCertificates(l.options.TrustRoots)
	if err != nil {
		return err
	}
	for _, root := range append(roots, l.ca.Root()) {
		l.gmail.AddTrustRoot(root)
	}
	return nil
}

func loadOrMakeCA(dir string, config ca.Config) (*ca.CA, error) {
	authority, err := ca.Load(dir, config)
	if !errors.Is(err, fs.ErrNotExist) {
		return authority, err
	}
	if authority, err = ca.New(config); err != nil {
		return nil, err
	}
	return authority, authority.Save(dir)
}

// Close ends the lab: every connection, every goroutine, and the directory if
// it was a temporary one.
func (l *Lab) Close() error { return l.close() }

func (l *Lab) shutDown() error {
	var errs []error
	l.touch.close()
	l.pace.close()
	if l.pcsc != nil {
		errs = append(errs, l.pcsc.Close())
	}
	if l.web != nil {
		errs = append(errs, l.web.Close())
	}
	l.done.Wait()
	if l.ca != nil {
		// Revocations and serial numbers are kept for the next start.
		errs = append(errs, l.ca.Save(filepath.Join(l.dir, caDir)))
	}
	for _, dir := range l.temporary {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// Gmail is the lab's Workspace domain.
func (l *Lab) Gmail() *workspace.Server { return l.gmail }

// CA is the lab's S/MIME authority.
func (l *Lab) CA() *ca.CA { return l.ca }

// Authority is what the lab's cards attest under.
func (l *Lab) Authority() *yubikey.Authority { return l.authority }

// Advance moves the lab's clock forward.
func (l *Lab) Advance(d time.Duration) { l.gmail.Advance(d) }
