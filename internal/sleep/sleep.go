// Package sleep waits for a time to pass, or for a context to end.
package sleep

import (
	"context"
	"time"
)

// For waits for d and returns nil, or the context's error where that ends first.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
