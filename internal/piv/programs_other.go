//go:build !linux

package piv

// smartCardPrograms cannot see other programs' libraries here.
func smartCardPrograms() []string { return nil }
