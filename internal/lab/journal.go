package lab

import (
	"fmt"
	"io"
	"sync"
)

// journal writes the lab's log, a line at a time.
type journal struct {
	mu  sync.Mutex
	out io.Writer
}

func (j *journal) line(format string, args ...any) {
	if j.out == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// A log that cannot be written must not stop the lab.
	_, _ = fmt.Fprintf(j.out, "lab: "+format+"\n", args...)
}
