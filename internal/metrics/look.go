package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// State is how work stands at the moment of a scrape.
type State struct {
	InFlight, Limit int // users
	Paused          bool
	Ledger          *LedgerState // nil where the ledger does not answer
}

// LedgerState is what the ledger says.
type LedgerState struct {
	Waiting, Due int // users
	Workers      int
}

// lookTime bounds how long the ledger may take for a scrape.
const lookTime = 2 * time.Second

// looker asks how work stands at each scrape.
type looker struct {
	look func(context.Context) State
	turn chan struct{} // has one scrape look at a time
}

func newLooker(look func(context.Context) State) *looker {
	return &looker{look: look, turn: make(chan struct{}, 1)}
}

// descriptions are the families of a state.
var descriptions = []Family{inFlight, limit, paused, ledgerUp, queueUsers, queueDue, workers}

// Describe tells the registry what there is.
func (l *looker) Describe(to chan<- *prometheus.Desc) {
	for _, f := range descriptions {
		to <- description(f)
	}
}

func description(f Family) *prometheus.Desc { return prometheus.NewDesc(f.Name, f.Help, f.Labels, nil) }

// now looks. The time that it may take begins with its turn.
func (l *looker) now() State {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	return l.look(ctx)
}

// Collect looks, and tells the registry what it saw.
func (l *looker) Collect(to chan<- prometheus.Metric) {
	state := l.now()
	tell := func(f Family, value int) {
		to <- prometheus.MustNewConstMetric(description(f), prometheus.GaugeValue, float64(value))
	}
	tell(inFlight, state.InFlight)
	tell(limit, state.Limit)
	tell(paused, one(state.Paused))
	tell(ledgerUp, one(state.Ledger != nil))
	if state.Ledger != nil {
		tell(queueUsers, state.Ledger.Waiting)
		tell(queueDue, state.Ledger.Due)
		tell(workers, state.Ledger.Workers)
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
