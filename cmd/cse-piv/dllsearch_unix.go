//go:build unix

package main

// searchSystemLibraries does nothing: nothing is loaded by its bare name here.
func searchSystemLibraries() error { return nil }
