package gmailcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// changeFlags are of the commands that change what Gmail has of users.
type changeFlags struct {
	gmail                  option.Gmail
	store                  option.Store
	from, confirm, reason  string
	dryRun, json, harmless bool
}

func (f *changeFlags) add(command *cobra.Command) {
	flags := command.Flags()
	f.gmail.Add(flags)
	f.store.Add(flags)
	f.store.AddWait(flags)
	if !f.harmless {
		flags.StringVar(&f.confirm, "confirm", "", option.ConfirmUsage)
	}
	flags.StringVar(&f.reason, "reason", "", "why, for the ledger: a short `text`")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would change and stop working, and change nothing")
	flags.StringVar(&f.from, "from", "", "CSV `file` of several users: columns email and, for key pairs, key_pair_id")
	option.AddJSON(command, &f.json)
}

// wanted returns the changes that a command was asked for, by its arguments or a file.
func (f *changeFlags) wanted(ctx context.Context, rows []option.User, withKeyPair bool, change func(option.User) registered.Change) ([]wantedChange, error) {
	rows, err := option.Users(ctx, rows, f.from, withKeyPair)
	if err != nil {
		return nil, err
	}
	f.gmail.Expect(option.EmailsOf(rows)...)
	var all []wantedChange
	for _, row := range rows {
		all = append(all, wantedChange{row.Email, change(row)})
	}
	return all, nil
}

// wantedChange is one line of what a command was asked to change.
type wantedChange struct {
	email string
	registered.Change
}

// changeResult is what came of it; the JSON names are a contract.
type changeResult struct {
	Email     string `json:"email"`
	KeyPairID string `json:"key_pair_id,omitempty"`
	// Outcome is done, unchanged (it was so already), refused or failed; in a dry run
	// would-change where it would be done.
	Outcome string   `json:"outcome"`
	Effects []string `json:"effects,omitempty"`
	Message string   `json:"message,omitempty"`
	Hint    string   `json:"hint,omitempty"`

	effect registered.Effect
	user   *gmail.User
	err    error
}

// ChangesJSON is the output of the commands that change; the names are a contract.
type ChangesJSON struct {
	Command string          `json:"command"` // such as "keypair disable"
	DryRun  bool            `json:"dry_run"`
	Changes []*changeResult `json:"changes"`
	Confirm string          `json:"confirm,omitempty"` // in a dry run: what --confirm takes to agree to it
	Error   *stdio.Failure  `json:"error,omitempty"`   // with which the command ends
}

// The outcomes besides the ledger's.
const (
	outcomeUnchanged   = "unchanged"
	outcomeWouldChange = "would-change"
)

// runChanges forecasts all changes, has a person agree to them, and carries out one
// after the other. What fails for one user does not stop the others.
func runChanges(ctx context.Context, streams *stdio.Streams, flags *changeFlags, command string, wanted []wantedChange) error {
	flags.gmail.SayForeign(streams.Err)
	domain, err := flags.gmail.Open(ctx, streams.Err)
	if err != nil {
		return err
	}
	results, err := forecast(ctx, streams, domain, wanted)
	if err != nil {
		return err
	}
	if !flags.dryRun {
		if err := flags.carry(ctx, streams, command, results); err != nil {
			return err
		}
	}
	end, confirm := changesError(results), ""
	if users := usersOf(riskyOf(results)); flags.dryRun && len(users) > 0 {
		confirm = option.WantOf(users)
	}
	if flags.json {
		return errors.Join(stdio.JSON(streams.Out, ChangesJSON{command, flags.dryRun, results, confirm, streams.FailureOf(end)}), stdio.Told(end))
	}
	option.SayConfirm(streams.Err, "confirm", confirm)
	return errors.Join(printChanges(streams.Out, results), end)
}

// forecast finds out what each change would do. What Gmail refuses, or the change needs
// and is not so, is in the result.
func forecast(ctx context.Context, streams *stdio.Streams, domain *gmail.Domain, wanted []wantedChange) ([]*changeResult, error) {
	results := []*changeResult{}
	for _, change := range wanted {
		result := &changeResult{Email: change.email, KeyPairID: change.KeyPairID}
		results = append(results, result)
		user, err := domain.User(ctx, change.email)
		var state registered.State
		if err == nil {
			state, err = registered.ReadState(ctx, user)
		}
		if err != nil {
			if errors.Is(err, context.Canceled) {
				return nil, err
			}
			result.fail(streams, ledger.OutcomeFailed, err)
			continue
		}
		result.user = user
		if result.effect, err = registered.Forecast(state, change.Change); err != nil {
			result.fail(streams, ledger.OutcomeRefused, err)
			continue
		}
		result.Outcome = outcomeWouldChange
		if result.effect.Done {
			result.Outcome = outcomeUnchanged
			continue
		}
		result.Effects = describe.Effect(result.Email, result.effect)
	}
	return results, nil
}

func (r *changeResult) fail(streams *stdio.Streams, outcome ledger.Outcome, err error) {
	r.Outcome, r.err = string(outcome), err
	if outcome == ledger.OutcomeFailed {
		r.Effects = nil // they did not come about
	}
	r.Message, r.Hint = safetext.Clean(err.Error()), safetext.Clean(streams.Hint(err))
}

// carry has the changes agreed to, and carries them out. Each is in the ledger before it
// is asked of Gmail.
func (f *changeFlags) carry(ctx context.Context, streams *stdio.Streams, command string, results []*changeResult) (err error) {
	open := false
	for _, result := range results {
		open = open || result.Outcome == outcomeWouldChange
	}
	if !open {
		return nil
	}
	refused := f.agree(ctx, streams, command, results)
	if refused != nil && !errors.Is(refused, enroll.ErrDeclined) {
		return refused // nobody was asked
	}
	book, err := f.store.Open(ctx, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	if refused == nil {
		f.gmail.SayTargets(streams.Err, usersOf(slices.DeleteFunc(slices.Clone(results), func(r *changeResult) bool { return r.Outcome != outcomeWouldChange })))
	}
	for _, result := range results {
		if result.Outcome != outcomeWouldChange {
			continue
		}
		id, err := book.BeginAction(ctx, ledger.Action{Email: result.Email, Verb: command, Object: result.KeyPairID, Operator: program.Operator(), Reason: f.reason})
		if err != nil {
			return err
		}
		outcome, message := ledger.OutcomeRefused, ""
		failure := refused
		if failure == nil {
			outcome, failure = ledger.OutcomeFailed, registered.Carry(ctx, result.user, result.effect)
		}
		if failure == nil {
			outcome = ledger.OutcomeDone
			result.Outcome = string(outcome)
		} else {
			message = failure.Error()
			result.fail(streams, outcome, failure)
		}
		if err := book.EndAction(ctx, id, outcome, message); err != nil {
			return errors.Join(refused, err)
		}
		if errors.Is(failure, context.Canceled) {
			return failure
		}
	}
	return refused
}

// agree returns nil where somebody agreed to what stops working, or nothing does.
func (f *changeFlags) agree(ctx context.Context, streams *stdio.Streams, command string, results []*changeResult) error {
	risky := riskyOf(results)
	if len(risky) == 0 {
		return nil
	}
	var losses []string
	for _, result := range risky {
		losses = append(losses, result.Effects...)
	}
	users := usersOf(risky)
	if len(users) > 1 {
		losses = append([]string{total(results)}, losses...)
	}
	question := enroll.Question{Text: fmt.Sprintf("%s: %s of %s", command, format.Count(len(risky), "change"), format.Count(len(users), "user")), Loss: losses}
	ask := option.Asker{Streams: streams}
	defer ask.Close()
	return ask.ConfirmUsers(ctx, "confirm", f.confirm, users, question)
}

// riskyOf returns the open changes that take something from users.
func riskyOf(results []*changeResult) []*changeResult {
	return slices.DeleteFunc(slices.Clone(results), func(r *changeResult) bool { return r.Outcome != outcomeWouldChange || !r.effect.Risky() })
}

// usersOf returns whom the results are about, each once.
func usersOf(results []*changeResult) (users []string) {
	for _, result := range results {
		if email := ledger.Key(result.Email); !slices.Contains(users, email) {
			users = append(users, email)
		}
	}
	return users
}

// total counts the users of whom the open changes take something.
func total(results []*changeResult) string {
	users := map[string]registered.Effect{}
	for _, result := range results {
		if result.Outcome != outcomeWouldChange {
			continue
		}
		sum := users[ledger.Key(result.Email)]
		sum.StopsSigning = sum.StopsSigning || result.effect.StopsSigning
		sum.StopsEncrypting = sum.StopsEncrypting || result.effect.StopsEncrypting
		sum.StopsReading = sum.StopsReading || result.effect.StopsReading
		sum.ForEver = sum.ForEver || result.effect.ForEver
		users[ledger.Key(result.Email)] = sum
	}
	return describe.Effects(slices.Collect(maps.Values(users)))
}

func printChanges(out io.Writer, results []*changeResult) error {
	rows := stdio.NewTable(out, "EMAIL", "KEY PAIR", "RESULT")
	for _, result := range results {
		text := result.Outcome
		if result.Message != "" {
			text += ": " + result.Message
		}
		rows.Row(result.Email, result.KeyPairID, text)
		for _, effect := range result.Effects {
			rows.Row("", "", effect)
		}
	}
	return rows.Flush()
}

// changesError is the one failure of a single change, or that some failed.
func changesError(results []*changeResult) error {
	failures := make([]error, len(results))
	for i, result := range results {
		failures[i] = result.err
	}
	return failure.Several(failures, "change")
}
