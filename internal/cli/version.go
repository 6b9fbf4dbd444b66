package cli

import (
	"fmt"
	"runtime/debug"
)

// The version of a released binary, and the commit that it is built from with its day; set
// by the linker.
var release, commit string

// version returns the release, or what the build knows of its commit.
func version() string {
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

// versionLine is what --version prints.
func versionLine() string {
	if commit == "" {
		return "cse-piv " + version()
	}
	return fmt.Sprintf("cse-piv %s (commit %s)", version(), commit)
}
