package batch

// Load is how much a Limiter allows just now, and how much of it is used.
type Load struct {
	InFlight int  // users
	Limit    int  // of users in flight
	Paused   bool // nobody gets through, and one user is tried from time to time
}

// Load returns how it stands.
func (l *Limiter) Load() Load {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Load{InFlight: l.inFlight, Limit: l.limit, Paused: l.outage.paused}
}
