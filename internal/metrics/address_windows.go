package metrics

import "golang.org/x/sys/windows"

// addressInUse is what the system says of an address at which another process listens;
// syscall.EADDRINUSE is a number that Windows never gives.
const addressInUse = windows.WSAEADDRINUSE
