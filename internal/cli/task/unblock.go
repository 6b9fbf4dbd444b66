// Package task is what is done for an issued card and its user with a person who is asked:
// the same by a command, and at a desk.
package task

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Unblock sets a new PIN with the PUK.
type Unblock struct {
	Escrow *option.Escrow
	// PUK and NewPIN are known beforehand; nil where they are asked for.
	PUK, NewPIN  *option.Secret
	MinPINLength int
	Second       *SecondPerson
}

// Run sets the new PIN of a card, and tells each thing that was done. Where a PUK of the
// escrow was used that stays the card's, it says how to have it replaced.
func (u Unblock) Run(ctx context.Context, ask *option.Asker, card *piv.Card) (done maintenance.Unblocked, err error) {
	store, _, err := u.Escrow.Open()
	if err != nil {
		return done, err
	}
	messages := ask.Streams.Err
	stdio.Warnings(messages, u.Escrow)
	serial := card.Identity().Serial
	unblocking := &maintenance.Unblocking{Card: card, Escrow: store, Notice: func(what string) { stdio.Note(messages, what) }}
	if unblocking.PUKs, err = ask.PUKs(ctx, u.Escrow, u.PUK, card); err != nil {
		return done, err
	}
	if err := u.Second.agree(ctx, ask, serial); err != nil {
		return done, err
	}
	question := fmt.Sprintf("a new PIN for card %d", serial)
	if unblocking.PIN, err = ask.NewSecret(ctx, u.NewPIN, question, "PIN", func(pin secret.Secret) error { return piv.CheckNewPINOf(pin, u.MinPINLength) }); err != nil {
		return done, err
	}
	err = ask.Risk(ctx, card, func(card *piv.Card) (err error) {
		unblocking.Card = card
		done, err = unblocking.Run(ctx)
		return err
	})
	if err == nil && store == nil {
		switch used := unblocking.PUKs[0]; {
		case done.Used != "":
			stdio.Note(messages, hint.ForUsedPUK(ask.AtDesk()))
		case used.PUK.Equal(piv.FactoryPUK()):
			stdio.Note(messages, hint.ForFactoryPUK(ask.AtDesk()))
		}
	}
	return done, err
}
