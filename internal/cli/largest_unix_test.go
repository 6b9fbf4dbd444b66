//go:build unix

package cli_test

import (
	"os"
	"runtime"
	"syscall"
)

// largest returns the most memory that a process had resident, in units of 1,024 octets.
func largest(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss) >> 10
	}
	return int64(usage.Maxrss)
}
