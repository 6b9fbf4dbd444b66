package option

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Asker gets secrets and agreement from flags, or asks a person for them.
type Asker struct {
	Streams *stdio.Streams
	// Person is who is asked; nil for whoever sits at the terminal, if it is one.
	Person   enroll.Prompter
	terminal *prompt.Terminal
}

// person returns who is asked; nil for nobody.
func (a *Asker) person() enroll.Prompter {
	if a.Person == nil && a.terminal == nil && a.Streams.Terminal {
		a.terminal, _ = prompt.Open()
	}
	switch {
	case a.Person != nil:
		return a.Person
	case a.terminal != nil:
		return a.terminal
	}
	return nil
}

// PUKs returns the PUKs that a card may have: the one that was given, the factory one where the card
// still has it, those of the escrow, or the one that a person types. What a desk was started with is
// for other cards than one with the factory PUK.
func (a *Asker) PUKs(ctx context.Context, vault *Escrow, given *Secret, card *piv.Card) ([]escrow.Record, error) {
	serial := card.Identity().Serial
	question := fmt.Sprintf("the PUK of card %d", serial)
	protection, err := card.Protection(ctx)
	if err != nil {
		return nil, err
	}
	factory := protection.PUK.Factory == piv.Yes // whatever the escrow has is not the card's then
	if factory && a.AtDesk() {
		given = nil
	}
	if factory || given.given() {
		puk, err := a.CardSecret(ctx, card, given, question, "PUK", piv.CheckPUK)
		return []escrow.Record{{PUK: puk}}, err
	}
	folder, err := FolderOr(vault.Folder, "escrow")
	if err != nil {
		return nil, err
	}
	records, closed, err := vault.records(ctx, folder, serial)
	if err != nil {
		return nil, err
	}
	if records, err = escrow.PUKs(ctx, folder, serial, records); err != nil || len(records) > 0 {
		return records, err
	}
	a.say(closed)
	puk, err := a.CardSecret(ctx, card, given, question, "PUK", piv.CheckPUK)
	if errors.Is(err, failure.ErrNobody) {
		err = fmt.Errorf("card %d: %w", serial, maintenance.ErrNoPUK)
	}
	return []escrow.Record{{PUK: puk}}, err
}

// say tells why records of the escrow cannot be used.
func (a *Asker) say(closed []error) {
	for _, err := range closed {
		stdio.Note(a.Streams.Err, err.Error())
	}
}

// AtDesk reports whether somebody at a desk is asked, who types no flags.
func (a *Asker) AtDesk() bool { return a.Person != nil }

// Close closes the terminal, where one was opened.
func (a *Asker) Close() {
	if a.terminal != nil {
		_ = a.terminal.Close()
		a.terminal = nil
	}
}

// NewSecret returns a new PIN or PUK that a flag gave, or that a person types twice.
func (a *Asker) NewSecret(ctx context.Context, flag *Secret, text, name string, check func(secret.Secret) error) (secret.Secret, error) {
	given, err := a.given(ctx, flag, check)
	if err != nil || !given.IsZero() {
		return given, err
	}
	return a.typed(ctx, flag, reference(text, name, true, piv.UnknownTries, check))
}

// CardSecret returns a card's PIN or PUK that a flag gave, or that a person types, who is shown how
// many tries are left. A PUK that is still the factory one is not asked for. Of one that is blocked
// nobody is asked: the error is piv.ErrPINBlocked or piv.ErrPUKBlocked. Where the card still has the
// factory one, another one is a *piv.FactoryError.
func (a *Asker) CardSecret(ctx context.Context, card *piv.Card, flag *Secret, text, name string, check func(secret.Secret) error) (secret.Secret, error) {
	given, err := a.given(ctx, flag, check)
	if err != nil {
		return given, err
	}
	protection, err := card.Protection(ctx)
	if err != nil {
		return given, err
	}
	counter, factory, blocked := protection.PIN, piv.FactoryPIN(), piv.ErrPINBlocked
	if name == "PUK" {
		counter, factory, blocked = protection.PUK, piv.FactoryPUK(), piv.ErrPUKBlocked
	}
	switch {
	case !given.IsZero():
	case counter.Tries == 0:
		return given, blocked
	case name == "PUK" && counter.Factory == piv.Yes:
		stdio.Note(a.Streams.Err, fmt.Sprintf("the PUK of card %d is still the factory one, which everybody knows: that one is used", card.Identity().Serial))
		return factory, nil
	default:
		if given, err = a.typed(ctx, flag, reference(text, name, false, counter.Tries, check)); err != nil {
			return given, err
		}
	}
	if counter.Factory == piv.Yes && !given.Equal(factory) {
		return given, &piv.FactoryError{Reference: name}
	}
	return given, nil
}

// reference is the question for a PIN or PUK.
func reference(text, name string, isNew bool, tries int, check func(secret.Secret) error) enroll.SecretQuestion {
	question := enroll.SecretQuestion{Question: enroll.Question{Text: text}, New: isNew, Check: check, Rule: "6 to 8 letters, digits or signs", Tries: tries}
	if name == "PIN" {
		question.ID = enroll.QuestionPIN
	}
	return question
}

// given returns the PIN or PUK that a flag gave; a zero one where none did.
func (a *Asker) given(ctx context.Context, flag *Secret, check func(secret.Secret) error) (secret.Secret, error) {
	given, err := flag.Read(ctx)
	stdio.Warnings(a.Streams.Err, flag)
	if err == nil && !given.IsZero() {
		if err = check(given); err != nil {
			err = usage.Errorf("--%s-file: %w", flag.Name, err)
		}
	}
	return given, err
}

// typed returns what a person types; flag is what could have been given instead.
func (a *Asker) typed(ctx context.Context, flag *Secret, question enroll.SecretQuestion) (secret.Secret, error) {
	person := a.person()
	if person == nil {
		return secret.Secret{}, &failure.MissingSecretError{What: question.Text, Flag: flag.Name}
	}
	return person.Secret(ctx, question)
}

// ReadManagementKey returns the management key that a flag gives; a zero one where none does.
func ReadManagementKey(ctx context.Context, flag *Secret) (secret.Secret, error) {
	typed, err := flag.Read(ctx)
	if err != nil || typed.IsZero() {
		return typed, err
	}
	key, err := piv.ParseManagementKey(typed)
	if err != nil {
		return key, usage.Errorf("--%s-file: %w", flag.Name, err)
	}
	return key, nil
}

// ManagementKey returns the card's management key: the one that was given, the factory one, the one
// that the PIN leads to, one of the escrow, or what a person types.
func (a *Asker) ManagementKey(ctx context.Context, card *piv.Card, given, pin *Secret, vault *Escrow) (secret.Secret, error) {
	key, err := ReadManagementKey(ctx, given)
	stdio.Warnings(a.Streams.Err, given)
	if err != nil || !key.IsZero() {
		return key, err
	}
	// There is no counter: a wrong one costs nothing.
	if err := card.CheckManagementKey(ctx, piv.FactoryManagementKey()); !errors.Is(err, piv.ErrManagementKey) {
		return piv.FactoryManagementKey(), err
	}
	if admin, err := card.AdminData(ctx); err != nil {
		return key, err
	} else if admin.PINProtected() {
		return a.behindPIN(ctx, card, pin)
	}
	folder, err := FolderOr(vault.Folder, "escrow")
	if err != nil {
		return key, err
	}
	stdio.Warnings(a.Streams.Err, vault)
	records, closed, err := vault.records(ctx, folder, card.Identity().Serial)
	if err != nil {
		return key, err
	}
	for _, record := range records {
		if record.ManagementKey.IsZero() {
			continue
		}
		if err := card.CheckManagementKey(ctx, record.ManagementKey); !errors.Is(err, piv.ErrManagementKey) {
			return record.ManagementKey, err
		}
	}
	a.say(closed)
	typed, err := a.typed(ctx, given, enroll.SecretQuestion{
		Question: enroll.Question{Text: fmt.Sprintf("the management key of card %d (hexadecimal)", card.Identity().Serial)},
		Rule:     "32, 48 or 64 hexadecimal digits", Tries: piv.UnknownTries, Check: func(s secret.Secret) error { _, err := piv.ParseManagementKey(s); return err },
	})
	if err != nil {
		return key, err
	}
	return piv.ParseManagementKey(typed)
}

// behindPIN returns the management key that the PIN leads to.
func (a *Asker) behindPIN(ctx context.Context, card *piv.Card, flag *Secret) (key secret.Secret, err error) {
	pin, err := a.CardSecret(ctx, card, flag, fmt.Sprintf("the PIN of card %d, which leads to its management key", card.Identity().Serial), "PIN", piv.CheckPIN)
	if err != nil {
		return key, err
	}
	err = a.Risk(ctx, card, func(card *piv.Card) (err error) {
		if key, err = card.ProtectedManagementKey(ctx, pin); err != nil {
			return err
		}
		return card.CheckManagementKey(ctx, key)
	})
	return key, err
}

// Risk does something that a PIN or PUK is given for. Where only one try is left, a person
// is asked whether to use it.
func (a *Asker) Risk(ctx context.Context, card *piv.Card, do func(*piv.Card) error) error {
	err := do(card)
	last, found := errors.AsType[*piv.LastTryError](err)
	if !found {
		return err
	}
	person := a.person()
	if person == nil {
		return err
	}
	question := fmt.Sprintf("one try of card %d's %s is left, and a wrong one blocks it for good; try it?", card.Identity().Serial, last.Reference)
	agreed, asked := person.Confirm(ctx, enroll.Question{ID: enroll.QuestionLastTry, Text: question})
	if asked != nil || !agreed {
		return errors.Join(asked, err)
	}
	return do(card.AllowLastTry())
}
