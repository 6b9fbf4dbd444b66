//go:build !windows

package ledger

// makeBeside does nothing: SQLite gives the files beside the one at path its mode.
func makeBeside(string, bool) {}
