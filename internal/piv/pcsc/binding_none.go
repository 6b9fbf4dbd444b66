//go:build !windows && !(cgo && (linux || darwin))

package pcsc

import "time"

type handle = uintptr

// Context is a connection to the smart card service; this build has none.
type Context struct{}

// Establish returns ErrNoPCSC.
func Establish() (*Context, error) { return nil, ErrNoPCSC }

// Release returns ErrNoPCSC.
func (*Context) Release() error { return ErrNoPCSC }

// Cancel returns ErrNoPCSC.
func (*Context) Cancel() error { return ErrNoPCSC }

// Readers returns ErrNoPCSC.
func (*Context) Readers() ([]string, error) { return nil, ErrNoPCSC }

// StatusChange returns ErrNoPCSC.
func (*Context) StatusChange([]ReaderState, time.Duration) error { return ErrNoPCSC }

// Connect returns ErrNoPCSC.
func (*Context) Connect(string, ShareMode) (*Card, error) { return nil, ErrNoPCSC }

// CardOf returns a connection to nothing.
func CardOf(uint64) *Card { return &Card{} }

// Check returns ErrNoPCSC.
func (*Card) Check() error { return ErrNoPCSC }

// Reconnect returns ErrNoPCSC.
func (*Card) Reconnect(ShareMode, Disposition) error { return ErrNoPCSC }

// Disconnect returns ErrNoPCSC.
func (*Card) Disconnect(Disposition) error { return ErrNoPCSC }

// Begin returns ErrNoPCSC.
func (*Card) Begin() error { return ErrNoPCSC }

// End returns ErrNoPCSC.
func (*Card) End(Disposition) error { return ErrNoPCSC }

// Transmit returns ErrNoPCSC.
func (*Card) Transmit([]byte) ([]byte, error) { return nil, ErrNoPCSC }
