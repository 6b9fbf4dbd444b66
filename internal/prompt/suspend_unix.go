//go:build !windows

package prompt

import (
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// OnSuspend calls suspended each time that the process is asked to stop (SIGTSTP, as
// by kill -TSTP), and continued when it was stopped and continued otherwise (SIGCONT):
// whatever ran meanwhile, such as a shell, changes the terminal's settings. suspended
// gives the terminal back and calls stop, which returns when the process runs again.
// The function that OnSuspend returns ends that. A process that nobody could continue is
// not stopped.
func OnSuspend(suspended func(stop func()), continued func()) (end func()) {
	signals, ended := make(chan os.Signal, 8), make(chan struct{})
	signal.Notify(signals, unix.SIGTSTP, unix.SIGCONT)
	var handler sync.WaitGroup
	handler.Go(func() {
		for {
			select {
			case <-ended:
				return
			case got := <-signals:
				switch {
				case got == unix.SIGCONT:
					continued()
				case continuable():
					suspended(func() { stop(signals) })
				}
			}
		}
	})
	return func() {
		close(ended)
		handler.Wait()
		signal.Stop(signals)
	}
}

// stop stops the process until it is continued, as the signals tell.
func stop(signals <-chan os.Signal) {
	// Not SIGTSTP: the runtime keeps its handler for a signal that was once asked for.
	if unix.Kill(unix.Getpid(), unix.SIGSTOP) != nil {
		return
	}
	for got := range signals {
		if got == unix.SIGCONT {
			return
		}
	}
}

// continuable reports whether somebody could continue the process if it stopped: not in
// the process group of the session's leader, as the system has it in orphaned process
// groups (POSIX).
func continuable() bool {
	session, err := unix.Getsid(0)
	return err == nil && session != unix.Getpgrp()
}
