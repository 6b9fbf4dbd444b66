package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Change sets a new PIN or PUK, given the old one.
type Change struct {
	Name     string         // PIN or PUK
	Old, New *option.Secret // known beforehand; nil where they are asked for
	// MinPINLength is how long a new PIN is at least.
	MinPINLength int
}

// Run sets the new one.
func (c Change) Run(ctx context.Context, ask *option.Asker, card *piv.Card) error {
	check, checkNew, change := piv.CheckPUK, piv.CheckNewPUK, (*piv.Card).ChangePUK
	if c.Name == "PIN" {
		check, change = piv.CheckPIN, (*piv.Card).ChangePIN
		checkNew = func(pin secret.Secret) error { return piv.CheckNewPINOf(pin, c.MinPINLength) }
	}
	serial := card.Identity().Serial
	before, err := ask.CardSecret(ctx, card, c.Old, fmt.Sprintf("the %s of card %d", c.Name, serial), c.Name, check)
	if err != nil {
		return err
	}
	after, err := ask.NewSecret(ctx, c.New, fmt.Sprintf("a new %s for card %d", c.Name, serial), c.Name, checkNew)
	if err != nil {
		return err
	}
	if before.Equal(after) {
		return usage.Errorf("the new %s is the old one", c.Name)
	}
	err = ask.Risk(ctx, card, func(card *piv.Card) error { return change(card, ctx, before, after) })
	if errors.Is(err, piv.ErrRemoved) || errors.Is(err, piv.ErrReset) || errors.Is(err, piv.ErrNoAnswer) {
		return &failure.PerhapsChangedError{What: c.Name, Err: err}
	}
	return err
}
