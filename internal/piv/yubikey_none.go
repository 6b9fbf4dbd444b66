//go:build !windows && !(cgo && (linux || darwin))

package piv

func openYubiKey(string) (yubikey, error) { return nil, ErrNoPCSC }
