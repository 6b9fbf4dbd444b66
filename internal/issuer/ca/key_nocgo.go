//go:build !cgo

package ca

// hasPKCS11 tells whether modules can be loaded, which are libraries in C.
const hasPKCS11 = false
