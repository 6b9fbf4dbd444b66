package report

import (
	"context"
	"iter"
	"slices"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// cleaned is a reader whose texts can be shown as they are: no character in them
// turns text around or does anything else unseen.
type cleaned struct{ Reader }

func (c cleaned) Groups(ctx context.Context, run int64) ([]ledger.Group, error) {
	groups, err := c.Reader.Groups(ctx, run)
	for i := range groups {
		for _, text := range []*string{&groups[i].Reason, &groups[i].Example, &groups[i].Message, &groups[i].Hint} {
			*text = safetext.Clean(*text)
		}
	}
	return groups, err
}

func (c cleaned) Superfluous(ctx context.Context, run int64) (users int, example string, err error) {
	users, example, err = c.Reader.Superfluous(ctx, run)
	return users, safetext.Clean(example), err
}

func (c cleaned) Entries(ctx context.Context, run int64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for entry, err := range c.Reader.Entries(ctx, run) {
			for _, text := range []*string{&entry.Email, &entry.Reason, &entry.Message, &entry.Hint, &entry.Where, &entry.Step, &entry.Worker} {
				*text = safetext.Clean(*text)
			}
			entry.Warnings, entry.Pairs = slices.Clone(entry.Warnings), slices.Clone(entry.Pairs)
			for i := range entry.Warnings {
				entry.Warnings[i] = safetext.Clean(entry.Warnings[i])
			}
			for i := range entry.Pairs {
				entry.Pairs[i].KeyPairID = safetext.Clean(entry.Pairs[i].KeyPairID)
			}
			if !yield(entry, err) {
				return
			}
		}
	}
}

func cleanRun(run ledger.Run) ledger.Run {
	for _, text := range []*string{&run.Source, &run.Operator, &run.Tool} {
		*text = safetext.Clean(*text)
	}
	return run
}
