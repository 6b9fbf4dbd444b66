package prompt

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// withRaw calls read while the terminal shows nothing of what is typed. When the
// process was stopped and continued, that is made so again, and ask is called.
func withRaw(tty *os.File, ask func(), read func()) error {
	fd := int(tty.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return fmt.Errorf("switching the terminal's echo off: %w", err)
	}
	raw, _ := term.GetState(fd)
	continued := func() {
		if now, err := term.GetState(fd); err == nil && (raw == nil || *now != *raw) {
			_, _ = term.MakeRaw(fd)
			ask()
		}
	}
	end := OnSuspend(func(stop func()) {
		_ = term.Restore(fd, before)
		stop()
		continued()
	}, continued)
	read()
	end()
	return term.Restore(fd, before)
}
