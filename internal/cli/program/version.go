// Package program says which build of the program this is, and who runs it.
package program

import (
	"fmt"
	"runtime/debug"
)

// The version of a released binary, and the commit that it is built from with its day; set
// by the linker.
var release, commit string

// Version returns the release, or what the build knows of its commit.
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// Line is what --version prints.
func Line() string {
	if commit == "" {
		return "cse-piv " + Version()
	}
	return fmt.Sprintf("cse-piv %s (commit %s)", Version(), commit)
}
