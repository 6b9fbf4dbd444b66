package lab

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/timing"
)

// pace is how long the lab's cards take for their commands, and how long real
// ones would take.
type pace struct {
	slow  *timing.Table // nil: as fast as they can
	real  timing.Table
	ended chan struct{}

	mu     sync.Mutex
	random *rand.Rand
}

func newPace(table *timing.Table, seed uint64) *pace {
	p := &pace{slow: table, real: timing.Real(), ended: make(chan struct{}), random: rand.New(rand.NewPCG(seed, 1))}
	if table != nil {
		p.real = *table
	}
	return p
}

// mean is the time that a command with its answer takes a real card on average.
func (p *pace) mean(command, answer []byte) time.Duration {
	return p.real.Of(command, len(answer)).Mean
}

// work takes the time that a card needs before it has an answer. It reports
// false when the card was pulled meanwhile.
func (p *pace) work(command []byte, gone <-chan struct{}) bool {
	if p.slow == nil {
		return true
	}
	p.mu.Lock()
	took := p.slow.Of(command, 0).Draw(p.random)
	p.mu.Unlock()
	return p.wait(took, gone)
}

// send takes the time for the bytes of the answer.
func (p *pace) send(command, answer []byte, gone <-chan struct{}) bool {
	if p.slow == nil {
		return true
	}
	return p.wait(p.slow.Of(command, len(answer)).Mean-p.slow.Of(command, 0).Mean, gone)
}

// wait reports false when the card was pulled meanwhile; the lab's end cuts it
// short.
func (p *pace) wait(d time.Duration, gone <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ended:
		return true
	case <-gone:
		return false
	}
}

// close ends every wait.
func (p *pace) close() { close(p.ended) }
