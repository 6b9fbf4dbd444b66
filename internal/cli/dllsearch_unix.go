//go:build unix

package cli

// searchSystemLibraries does nothing: nothing is loaded by its bare name here.
func searchSystemLibraries() error { return nil }
