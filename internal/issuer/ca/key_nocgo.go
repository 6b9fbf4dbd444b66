//go:build !cgo

package ca

import "net/url"

// hasPKCS11 tells whether modules can be loaded, which are libraries in C.
const hasPKCS11 = false

func checkTries(url.Values) error { return nil }
