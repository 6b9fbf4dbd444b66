package gmail

import "time"

// Call is one call of the API, or one exchange of credentials for a token, that came to its
// end.
type Call struct {
	Method string        // "keypairs.create", "token", ...
	Took   time.Duration // without what it waited for its turn
	Err    *Error        // nil where it was answered as hoped
}

// ended tells of a call that came to its end.
func (c *Config) ended(method string, began time.Time, e *Error) {
	if c.OnCall != nil {
		c.OnCall(Call{Method: method, Took: time.Since(began), Err: e})
	}
}
