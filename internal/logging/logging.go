// Package logging carries the log of a run, where one was asked for, with the context to
// those who write into it, and writes what goes over http. What a line is about (the run, the
// user, the attempt) is in the context, so that all lines of one attempt say the same.
package logging

import (
	"context"
	"log/slog"
	"slices"
)

// The names of attributes that say what lines are about. Whoever begins something of the
// kind puts it into the context with [Adding]; whoever writes does not repeat it.
const (
	Run         = "run"          // of a batch, its number
	Email       = "email"        // of the user
	Card        = "card"         // its serial number
	UserAttempt = "user_attempt" // how often the user is tried in a batch, from 1
	Attempt     = "attempt"      // how often the call is made, from 1
)

type key struct{}

// carried is the log of a context.
type carried struct {
	log        *slog.Logger // without the attributes
	with       *slog.Logger // with them
	attributes []slog.Attr
}

// With returns a context whose log is the given one.
func With(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, key{}, &carried{log: log, with: log})
}

// From returns the log of a context, with the attributes that were added to it; one that
// discards everything where there is none.
func From(ctx context.Context) *slog.Logger {
	if c, ok := ctx.Value(key{}).(*carried); ok {
		return c.with
	}
	return slog.New(slog.DiscardHandler)
}

// Adding returns a context whose log adds attributes to everything that is written into it,
// as those of [slog.Logger.With]. An attribute takes the place of an earlier one of that name.
func Adding(ctx context.Context, attributes ...any) context.Context {
	if _, ok := ctx.Value(key{}).(*carried); !ok {
		return ctx
	}
	return adding(ctx, slog.Group("", attributes...).Value.Group())
}

func adding(ctx context.Context, attributes []slog.Attr) context.Context {
	c, ok := ctx.Value(key{}).(*carried)
	if !ok {
		return ctx
	}
	more := &carried{log: c.log, attributes: slices.Clone(c.attributes)}
	for _, attribute := range attributes {
		at := slices.IndexFunc(more.attributes, func(a slog.Attr) bool { return a.Key == attribute.Key })
		if at < 0 {
			more.attributes = append(more.attributes, attribute)
		} else {
			more.attributes[at] = attribute
		}
	}
	more.with = slog.New(more.log.Handler().WithAttrs(more.attributes))
	return context.WithValue(ctx, key{}, more)
}

// Says reports whether an attribute of that name was added to the context, or there is no log.
func Says(ctx context.Context, name string) bool {
	c, ok := ctx.Value(key{}).(*carried)
	return !ok || slices.ContainsFunc(c.attributes, func(a slog.Attr) bool { return a.Key == name })
}

// Write writes a line into the log of a context. What the context and the line both say
// stands in it once, as the line says it.
func Write(ctx context.Context, level slog.Level, message string, attributes ...slog.Attr) {
	if From(ctx).Enabled(ctx, level) {
		From(adding(ctx, attributes)).LogAttrs(ctx, level, message)
	}
}
