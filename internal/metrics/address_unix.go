//go:build !windows

package metrics

import "syscall"

// addressInUse is what the system says of an address at which another process listens.
const addressInUse = syscall.EADDRINUSE
