package terminationcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// The outcomes besides the ledger's.
const (
	outcomeUnchanged   = "unchanged"
	outcomeWouldChange = "would-change"
)

// Do makes all plans, has a person agree to them, and carries out one after the other. What
// fails for one user does not stop the others.
func (f *Flags) Do(ctx context.Context, ask *option.Asker, command string, requests []termination.Request) ([]*Result, error) {
	streams := ask.Streams
	f.Gmail.SayForeign(streams.Err)
	results, err := f.Look(ctx, streams, command, requests)
	if err == nil {
		err = f.clearing.find(ctx, results[0]) // of one user, where a card is named
	}
	if err == nil && !f.DryRun {
		err = f.Agree(ctx, ask, command, results)
	}
	if err == nil && !f.DryRun {
		err = f.Carry(ctx, streams, results)
	}
	if err == nil && !f.DryRun {
		err = f.clearing.run(ctx, ask, f.Store, results[0])
	}
	if err == nil && !f.DryRun && requests[0].Reason == termination.ReasonWrongPerson && results[0].err == nil {
		err = giveUp(ctx, f.Evidence, results[0].plan)
	}
	return results, err
}

// Run is Do for a command, which prints the results.
func (f *Flags) Run(ctx context.Context, streams *stdio.Streams, command string, requests []termination.Request) error {
	if err := f.Check(); err != nil {
		return err
	}
	ask := option.Asker{Streams: streams}
	defer ask.Close()
	results, err := f.Do(ctx, &ask, command, requests)
	if err != nil {
		return err
	}
	if end := results[0]; end.Reason == termination.ReasonWrongPerson && f.clearing.serial == 0 && end.err == nil && !end.plan.GivesUp() {
		stdio.Note(streams.Err, hint.ForUndoneCard(end.plan))
	}
	end, confirm := EndOf(results), ""
	if users, _ := f.losers(results); f.DryRun && len(users) > 0 {
		confirm = option.WantOf(users)
	}
	if f.JSON {
		return errors.Join(stdio.JSON(streams.Out, JSON{command, f.DryRun, results, confirm, streams.FailureOf(end)}), stdio.Told(end))
	}
	option.SayConfirm(streams.Err, f.confirmFlag, confirm)
	return errors.Join(Print(streams.Out, results), end)
}

// Look makes the plans. What Gmail refuses, or is not as it has to be, is in the result.
func (f *Flags) Look(ctx context.Context, streams *stdio.Streams, command string, requests []termination.Request) (results []*Result, err error) {
	var authority termination.CA // nil where another revokes
	if f.CACert != "" {
		f.CAKey.MayAsk = streams.Terminal
		authority = localCA{f.CACert, &f.CAKey}
	}
	if len(requests) == 1 {
		f.Gmail.Expect(requests[0].Email)
	}
	domain, err := f.Gmail.Open(ctx, streams.Err)
	if err != nil {
		return nil, err
	}
	book, err := f.Store.OpenReadOnly(ctx)
	if failure.Is[*ledger.MissingError](err) {
		book, err = nil, nil // nothing was ever recorded
	}
	if err != nil {
		return nil, err
	}
	if book != nil {
		defer func() { err = errors.Join(err, book.Close()) }()
	}
	for _, request := range requests {
		result := &Result{Email: request.Email, Reason: request.Reason, Changes: []Change{}, Effects: []string{}, Revoked: []Certificate{}, AskToRevoke: []Certificate{}, streams: streams}
		result.deps = termination.Dependencies{CA: authority, Operator: program.Operator(), Verb: command, Text: f.note}
		if book != nil {
			result.deps.Ledger = book
		}
		results = append(results, result)
		if err := result.look(ctx, domain, request); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// look makes the plan for one user. Its error is that of an interrupt.
func (r *Result) look(ctx context.Context, domain *gmail.Domain, request termination.Request) error {
	user, err := domain.User(ctx, request.Email)
	if err == nil {
		r.deps.Settings = user
		r.plan, err = r.deps.Look(ctx, request)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case err != nil:
		r.fail(ledger.OutcomeFailed, err)
		return nil
	}
	r.Effects = describe.Termination(r.plan)
	for _, effect := range r.plan.Effects {
		r.Changes = append(r.Changes, Change{string(effect.Verb), effect.KeyPairID, effect.Done})
	}
	reason := certificate.RevocationReason(r.plan.Rule.Revocation)
	for _, leaf := range r.plan.Revoke {
		r.Revoked = append(r.Revoked, Certificate{leaf.SerialNumber.Text(16), safetext.Clean(leaf.Issuer.String()), reason})
	}
	for _, leaf := range r.plan.AskToRevoke {
		r.AskToRevoke = append(r.AskToRevoke, Certificate{leaf.SerialNumber.Text(16), safetext.Clean(leaf.Issuer.String()), reason})
	}
	r.Outcome = outcomeWouldChange
	if r.plan.Done() {
		r.Outcome = outcomeUnchanged
	}
	return nil
}

// Carry carries the plans out.
func (f *Flags) Carry(ctx context.Context, streams *stdio.Streams, results []*Result) (err error) {
	open := openOf(results)
	if len(open) == 0 {
		return nil
	}
	var emails []string
	for _, result := range open {
		if result.plan.Risky() {
			emails = append(emails, result.Email)
		}
	}
	f.Gmail.SayTargets(streams.Err, emails)
	book, err := f.Store.Open(ctx, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	for _, result := range open {
		result.deps.Ledger = book
		err := result.deps.Run(ctx, result.plan)
		if err != nil {
			result.fail(ledger.OutcomeFailed, err)
		} else {
			result.Outcome = string(ledger.OutcomeDone)
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// openOf returns those of whom something is to be done.
func openOf(results []*Result) []*Result {
	return slices.DeleteFunc(slices.Clone(results), func(r *Result) bool { return r.Outcome != outcomeWouldChange })
}

// Risky tells whether somebody has to agree to one of the results.
func Risky(results []*Result) bool {
	return slices.ContainsFunc(openOf(results), func(r *Result) bool { return r.plan.Risky() })
}

// Risks names the changes that somebody has to agree to, the same each time that they are planned.
func Risks(results []*Result) (names []string) {
	for _, result := range openOf(results) {
		names = append(names, result.risks()...)
	}
	return names
}

func (r *Result) risks() (names []string) {
	for _, effect := range r.plan.Effects {
		if !effect.Done {
			names = append(names, strings.TrimSuffix(string(effect.Verb)+" "+effect.KeyPairID, " "))
		}
	}
	for _, leaf := range r.plan.Revoke {
		names = append(names, "revoke "+certificate.Fingerprint(leaf))
	}
	return names
}

// Asks reports whether Agree asks somebody.
func (f *Flags) Asks(results []*Result) bool { return slices.ContainsFunc(openOf(results), f.asksOf) }

func (f *Flags) asksOf(result *Result) bool {
	return slices.ContainsFunc(result.risks(), func(change string) bool { return !slices.Contains(f.Agreed, change) })
}

// Agree returns nil where somebody agrees to what stops working, or did so before, or nothing does.
func (f *Flags) Agree(ctx context.Context, ask *option.Asker, command string, results []*Result) error {
	users, effects := f.losers(results)
	if len(users) == 0 {
		return nil
	}
	whom := users[0]
	if len(users) > 1 {
		whom = format.Count(len(users), "user")
	}
	question := enroll.Question{Text: fmt.Sprintf("%s: what changes and what stops working for %s", command, whom), Follows: effects}
	return ask.ConfirmUsers(ctx, f.confirmFlag, f.Confirm, users, question)
}

// losers returns who loses something, each once, and what.
func (f *Flags) losers(results []*Result) (users, effects []string) {
	for _, result := range openOf(results) {
		if !f.asksOf(result) {
			continue
		}
		effects = append(effects, result.Effects...)
		if !slices.Contains(users, result.Email) {
			users = append(users, result.Email)
		}
	}
	return users, effects
}
