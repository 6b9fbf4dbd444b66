package gmail

import (
	"context"
	"math/rand/v2"
	"time"
)

// begin starts one operation: some calls, their waits, and one limit over all.
func (u *User) begin() *operation {
	return &operation{user: u, config: u.domain.config, deadline: time.Now().Add(u.domain.config.MaxElapsed)}
}

type operation struct {
	user     *User
	config   Config
	deadline time.Time
}

// pause waits before try n+1 after n failures in a row (n ≥ 1), the last of them
// with e. It returns e itself when nothing more is to be tried.
func (o *operation) pause(ctx context.Context, n int, e *Error) error {
	if !e.transient || n >= o.config.MaxTries {
		return e
	}
	wait := backoff(o.config.RetryBase, n-1)
	if !e.RetryAt.IsZero() {
		// A little later than asked, or every waiting client comes at once.
		asked := time.Until(e.RetryAt) + time.Duration(rand.Int64N(int64(o.config.RetryBase)+1))
		wait = max(wait, asked)
	}
	if time.Now().Add(wait).After(o.deadline) {
		return e
	}
	if o.config.OnRetry != nil {
		o.config.OnRetry(e.Method, e, wait)
	}
	again := o.config.Wait(ctx, e, wait)
	switch {
	case ctx.Err() != nil:
		return canceled(e.Method, o.user.email, ctx)
	case !again:
		return e
	}
	return nil
}

// backoff is Google's truncated exponential back-off in units of base: before
// try n+2 it waits min(2^n + random ≤ 1, 32), so never less than base.
func backoff(base time.Duration, n int) time.Duration {
	const limit = 32
	if n >= 5 {
		return limit * base
	}
	return min(base<<n+time.Duration(rand.Int64N(int64(base)+1)), limit*base)
}

func canceled(method, user string, ctx context.Context) *Error {
	return &Error{Method: method, User: user, Kind: KindCanceled, Message: context.Cause(ctx).Error(), Err: ctx.Err()}
}
