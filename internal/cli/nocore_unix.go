//go:build unix

package cli

import "syscall"

// leaveNoCore has the system write no image of this process's memory, in which
// PINs and keys are, when it crashes. Where that cannot be had there is nothing to
// do about it.
func leaveNoCore() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
