package lab

import (
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
)

// Stats is what programs asked of the lab since it started. Durations are real
// time, in JSON nanoseconds.
type Stats struct {
	// APDUs is how many commands were sent to cards, InCard how long the cards
	// took for them.
	APDUs  int64         `json:"apdus"`
	InCard time.Duration `json:"in_card"`
	// CardTime is how long real cards would have taken for them on average, by
	// the table in Options.CardTiming, or else the built-in one: nobody waited
	// for it.
	CardTime time.Duration `json:"card_time"`
	// APICalls counts calls of the Gmail API and of the token endpoint, with
	// Methods for each; InAPI is the time they took, latency included.
	APICalls int64            `json:"api_calls"`
	Methods  map[string]int64 `json:"methods"`
	InAPI    time.Duration    `json:"in_api"`
	// CACalls counts requests to the CA (EST, revocation lists), InCA their
	// time.
	CACalls int64         `json:"ca_calls"`
	InCA    time.Duration `json:"in_ca"`
	// Connections counts those that were opened to the API, the CA and the control
	// endpoint, which share a port.
	Connections int64 `json:"connections"`
	// CardResets counts the faults of cards, pulls included; APIFaults those of
	// the API, with APIFaultKinds for each as it is named in a specification.
	CardResets    int64               `json:"card_resets"`
	APIFaults     int64               `json:"api_faults"`
	APIFaultKinds map[fault.API]int64 `json:"api_fault_kinds,omitempty"`
}

// counters are the running sums behind Stats.
type counters struct {
	mu    sync.Mutex
	stats Stats
}

func (c *counters) apdu() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.APDUs++
}

func (c *counters) connection(_ net.Conn, state http.ConnState) {
	if state != http.StateNew {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Connections++
}

func (c *counters) inCard(took, atARealCard time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.InCard += took
	c.stats.CardTime += atARealCard
}

func (c *counters) call(method string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.Methods == nil {
		c.stats.Methods = map[string]int64{}
	}
	c.stats.APICalls++
	c.stats.Methods[method]++
	c.stats.InAPI += took
}

func (c *counters) timeCA(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.stats.CACalls++
			c.stats.InCA += time.Since(started)
		}()
		next.ServeHTTP(w, r)
	})
}

// Stats returns what was counted so far.
func (l *Lab) Stats() Stats {
	l.counters.mu.Lock()
	stats := l.counters.stats
	stats.Methods = maps.Clone(stats.Methods)
	l.counters.mu.Unlock()
	faults := l.faults.Counts()
	stats.APIFaults, stats.APIFaultKinds, stats.CardResets = faults.API, faults.Kinds, faults.Card
	return stats
}
