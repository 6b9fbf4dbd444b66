// Package logging carries the log of a run, where one was asked for, with the context to
// those who write into it, and writes what goes over http.
package logging

import (
	"context"
	"log/slog"
)

type key struct{}

// With returns a context whose log is the given one.
func With(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, key{}, log)
}

// From returns the log of a context; one that discards everything where there is none.
func From(ctx context.Context) *slog.Logger {
	if log, ok := ctx.Value(key{}).(*slog.Logger); ok {
		return log
	}
	return slog.New(slog.DiscardHandler)
}

// Adding returns a context whose log adds attributes to everything that is written into it.
func Adding(ctx context.Context, attributes ...any) context.Context {
	if log := From(ctx); log.Enabled(ctx, slog.LevelError) {
		return With(ctx, log.With(attributes...))
	}
	return ctx
}
