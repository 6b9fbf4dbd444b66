package fault

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Board holds what is switched on. It is safe for concurrent use.
type Board struct {
	mu      sync.Mutex
	rand    *rand.Rand
	api     api
	card    card
	state   Switches
	counted Counts
	kinds   map[API]int64
}

// Switches are the faults that are states rather than events.
type Switches struct {
	CardFull     bool
	PINBlocked   bool
	CSEOff       []string // addresses; "" stands for everyone
	ScopeMissing bool
	// ScopeOther: it was given another scope, which does not do.
	ScopeOther bool
	// DirectoryDisabled: the Directory API refuses every call.
	DirectoryDisabled bool
	// APIDisabled and PolicyRefuses: the Gmail API refuses every call.
	APIDisabled, PolicyRefuses bool
	// ImpersonationDenied: this machine may not act through the service account.
	ImpersonationDenied bool
	// ConsentDenied and OtherState are how a login at the browser ends.
	ConsentDenied, OtherState bool
	// LoginsRevoked: what people allowed so far is taken back when it is switched on.
	LoginsRevoked bool
	// ReadersRefused: the smart card service lets nobody in.
	ReadersRefused bool
	// ClockSkew is how far the token endpoint's clock is ahead.
	ClockSkew time.Duration
	Latency   time.Duration
}

// Counts tells how many faults happened.
type Counts struct {
	API  int64
	Card int64
	// Kinds are those of the API, each by its name.
	Kinds map[API]int64
}

// New returns a board with nothing switched on.
func New(seed uint64) *Board {
	return &Board{rand: rand.New(rand.NewPCG(seed, 0x6c6162)), kinds: map[API]int64{}}
}

// Set switches on what the specifications say, in their order. When one is not
// understood, nothing changes; the error is a *SpecError.
func (b *Board) Set(specs ...string) error {
	var apply []func(*Board)
	for _, spec := range specs {
		f, err := parse(spec)
		if err != nil {
			return err
		}
		apply = append(apply, f)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range apply {
		f(b)
	}
	return nil
}

// Switches returns the states that are switched on.
func (b *Board) Switches() Switches {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.state
	state.CSEOff = slices.Clone(state.CSEOff)
	return state
}

// Counts returns how many faults happened since the board was made.
func (b *Board) Counts() Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := b.counted
	counts.Kinds = maps.Clone(b.kinds)
	return counts
}

func (b *Board) clear() {
	b.api, b.card, b.state = api{}, card{}, Switches{}
}

// due counts a countdown and tells whether its moment has come.
func due(left *int) bool {
	*left--
	return *left == 0
}
