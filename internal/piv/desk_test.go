//go:build cgo && linux

package piv_test

import (
	"context"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// The tests use the real PC/SC library, on a practice pcscd. The library takes
// the socket's path once, so all tests serve at the same path, one after the
// other.

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "piv")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(dir, "pcscd.comm"))
	return m.Run()
}

// verdict is what a test makes of a command: the lab's own, or the card stays
// out, before or after it carried the command out.
type verdict struct {
	pcscd.Verdict
	lost bool   // the card carried the command out, and the answer is lost
	lie  []byte // that the card answers instead; nil for none
}

// desk is a practice pcscd with its readers.
type desk struct {
	*pcscd.Server
	t *testing.T

	mu       sync.Mutex
	commands [][]byte
	fault    func(n int, command []byte) verdict
}

func newDesk(t *testing.T, readers int, options ...pcscd.Option) *desk {
	t.Helper()
	d := &desk{t: t}
	server, err := pcscd.Listen(os.Getenv("PCSCLITE_CSOCK_NAME"), readers, append(options, pcscd.Intercept(d.intercept))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	d.Server = server
	return d
}

func (d *desk) intercept(_ int, command []byte, next func([]byte) []byte) ([]byte, pcscd.Verdict) {
	d.mu.Lock()
	d.commands = append(d.commands, command)
	fault, n := d.fault, len(d.commands)
	d.mu.Unlock()
	var v verdict
	if fault != nil {
		v = fault(n, command)
	}
	if v.lie != nil {
		return v.lie, pcscd.Delivered
	}
	if v.Verdict != pcscd.Delivered && !v.lost {
		return nil, v.Verdict
	}
	return next(command), v.Verdict
}

// setFault has the function judge every command from now on, counted from 1.
func (d *desk) setFault(fault func(n int, command []byte) verdict) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commands, d.fault = nil, fault
}

// sent returns how many commands the cards got since setFault.
func (d *desk) sent() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.commands)
}

func (d *desk) insert(reader int, card pcscd.Card) {
	d.t.Helper()
	if err := d.Insert(reader, card); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) remove(reader int) {
	d.t.Helper()
	if _, err := d.Remove(reader); err != nil {
		d.t.Fatal(err)
	}
}

var authority = sync.OnceValues(yubikey.NewAuthority)

// rsaKey makes each size once; the card's own arithmetic is not under test.
func rsaKey(bits int) (*rsa.PrivateKey, error) {
	rsaMu.Lock()
	defer rsaMu.Unlock()
	if rsaKeys[bits] == nil {
		key, err := rsa.GenerateKey(nil, bits)
		if err != nil {
			return nil, err
		}
		rsaKeys[bits] = key
	}
	return rsaKeys[bits], nil
}

var (
	rsaMu   sync.Mutex
	rsaKeys = make(map[int]*rsa.PrivateKey)
)

func newCard(t *testing.T, serial uint32, firmware string, change ...func(*yubikey.Config)) *yubikey.Card {
	t.Helper()
	version, err := yubikey.ParseVersion(firmware)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	config := yubikey.Config{Serial: serial, Firmware: version, Authority: issuer, GenerateRSA: rsaKey}
	for _, f := range change {
		f(&config)
	}
	card, err := yubikey.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

const serial = 7654321

// quick has short limits, so that what fails does so soon, and connections that
// stay open however slow the machine is.
func quick() piv.Options {
	return piv.Options{InUseTimeout: 300 * time.Millisecond, KeepOpen: time.Hour, CallTimeout: time.Hour, AnswerTimeout: time.Hour}
}

func open(t *testing.T, serial uint32, options piv.Options) *piv.Card {
	t.Helper()
	card, err := piv.Open(t.Context(), serial, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disconnect(t, card) })
	return card
}

func disconnect(t *testing.T, card *piv.Card) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := card.Release(ctx); err != nil {
		t.Errorf("letting go of the card: %v", err)
	}
}

// single is a desk with one reader and one new card in it.
func single(t *testing.T, firmware string, change ...func(*yubikey.Config)) (*desk, *yubikey.Card, *piv.Card) {
	t.Helper()
	d := newDesk(t, 1)
	virtual := newCard(t, serial, firmware, change...)
	d.insert(0, virtual)
	return d, virtual, open(t, serial, quick())
}

func profiles() []string { return []string{"5.4.3", "5.7.4"} }

// plastic is a smart card without PIV.
type plastic struct{}

func (*plastic) ATR() []byte            { return []byte{0x3B, 0x80, 0x80, 0x01, 0x01} }
func (*plastic) Transmit([]byte) []byte { return []byte{0x6A, 0x82} }
func (*plastic) Reset()                 {}

// canary reports a secret in an error's text.
func canary(t *testing.T, err error, secrets ...secret.Secret) {
	t.Helper()
	for _, s := range secrets {
		if err != nil && strings.Contains(err.Error(), string(s.Reveal())) {
			t.Errorf("a secret is in the error %q", err)
		}
	}
}
