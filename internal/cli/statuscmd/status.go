// Package statuscmd is status: what Gmail and the ledger have of a user.
package statuscmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// statusOptions is everything that status takes.
type statusOptions struct {
	gmail option.Gmail
	store option.Store
	json  bool
}

// New returns the command status.
func New(streams *stdio.Streams) *cobra.Command {
	var options statusOptions
	command := &cobra.Command{
		Use:   "status EMAIL...",
		Short: "Show what Gmail has of a user, and what the ledger has",
		Long: "status asks Gmail for a user's key pairs and identity and looks into the ledger of batch. It\n" +
			"changes nothing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStatus(cmd.Context(), streams, &options, args)
		},
	}
	options.gmail.Add(command.Flags())
	options.store.Add(command.Flags())
	option.AddJSON(command, &options.json)
	return command
}

// StatusJSON is the output of status --json; the names are a contract.
type StatusJSON struct {
	Users []userStatus   `json:"users"`
	Error *stdio.Failure `json:"error,omitempty"` // the first problem, with which the command ends
}

// userStatus is one user in the JSON of status.
type userStatus struct {
	Email string `json:"email"`
	// KeyPairs and Identity are what Gmail has; Problem says why it is not known.
	KeyPairs []pairStatus    `json:"key_pairs"`
	Identity *gmail.Identity `json:"identity"`
	Problem  string          `json:"problem,omitempty"`
	// Ledger is null for a user that the ledger does not know.
	Ledger *ledger.Entry `json:"ledger"`
	// Actions are what people changed by hand at Gmail, the oldest first.
	Actions []ledger.Action `json:"actions"`
	// Cards are the certificates on cards that the ledger has of the user, the oldest
	// first.
	Cards []ledger.CardCertificate `json:"cards"`

	err error
}

func runStatus(ctx context.Context, streams *stdio.Streams, options *statusOptions, emails []string) (err error) {
	for _, email := range emails {
		if err := enroll.ValidateAddress(email); err != nil {
			return err
		}
	}
	book, err := options.store.OpenReadOnly(ctx)
	if errors.Is(err, fs.ErrNotExist) && options.store.Location == "" {
		book, err = nil, nil // nothing was ever recorded on this machine
	}
	if err != nil {
		return err
	}
	if book != nil {
		defer func() { err = errors.Join(err, book.Close()) }()
	}
	options.gmail.SayForeign(streams.Err)
	domain, err := options.gmail.Open(streams.Err)
	if err != nil {
		return err
	}
	users := []userStatus{}
	var problem error
	for _, email := range emails {
		user, err := lookUp(ctx, domain, book, email)
		if err != nil {
			return err
		}
		if problem == nil {
			problem = user.err
		}
		users = append(users, user)
	}
	if options.json {
		return errors.Join(stdio.JSON(streams.Out, StatusJSON{users, stdio.FailureOf(problem)}), stdio.Told(problem))
	}
	return errors.Join(printStatus(streams.Out, users), problem)
}

// lookUp asks both Gmail and the ledger. What Gmail refuses is part of the answer.
func lookUp(ctx context.Context, domain *gmail.Domain, book *ledger.Ledger, email string) (userStatus, error) {
	status := userStatus{Email: email, KeyPairs: []pairStatus{}, Actions: []ledger.Action{}, Cards: []ledger.CardCertificate{}}
	var known []ledger.Pair
	if book != nil {
		entry, found, err := book.Entry(ctx, email)
		if err != nil {
			return status, err
		}
		if found {
			status.Ledger = &entry
		}
		if status.Actions, err = book.Actions(ctx, email); err != nil {
			return status, err
		}
		if status.Cards, err = book.Cards(ctx, email); err != nil {
			return status, err
		}
		if known, err = book.EarlierPairs(ctx, email); err != nil {
			return status, err
		}
		known = append(known, entry.Pairs...)
	}
	if status.err = status.ask(ctx, domain, known); status.err != nil {
		if errors.Is(status.err, context.Canceled) {
			return status, status.err
		}
		status.Problem = status.err.Error()
	}
	return status, nil
}

// ask asks Gmail; known are the key pairs that the ledger knows.
func (s *userStatus) ask(ctx context.Context, domain *gmail.Domain, known []ledger.Pair) error {
	user, err := domain.User(ctx, s.Email)
	if err != nil {
		return err
	}
	pairs, err := user.KeyPairs(ctx)
	if err != nil {
		return err
	}
	identity, err := user.Identity(ctx)
	if err == nil {
		s.Identity = &identity
	}
	s.KeyPairs = pairStatuses(pairs, s.Identity, known)
	if errors.Is(err, gmail.ErrNotFound) {
		return nil
	}
	return err
}

func printStatus(out io.Writer, users []userStatus) error {
	for i, user := range users {
		if i > 0 {
			fmt.Fprintln(out)
		}
		rows := stdio.NewTable(out, user.Email)
		switch {
		case user.Problem != "":
			rows.Row("  Gmail", user.Problem)
		case len(user.KeyPairs) == 0:
			rows.Row("  key pairs", "none")
		}
		for _, pair := range user.KeyPairs {
			rows.Row("  key pair", pair.text(user.Identity))
			rows.Row("", "certificate SHA-256 "+pair.LeafSHA256)
			if finding := pair.finding(); finding != "" {
				rows.Row("", finding)
				rows.Row("", fmt.Sprintf("hint: cse-piv keypair disable %s %s", user.Email, pair.ID))
			}
		}
		if user.Problem == "" {
			rows.Row("  identity", describe.Identity(user.Identity))
			for _, pair := range user.KeyPairs {
				if pair.InIdentity && !pair.Enabled {
					rows.Row("", fmt.Sprintf("but %s is disabled, so that it neither signs nor reads", pair.ID))
					rows.Row("", fmt.Sprintf("hint: cse-piv keypair enable %s %s", user.Email, pair.ID))
				}
			}
		}
		rows.Row("  ledger", describeEntry(user.Ledger))
		if user.Ledger != nil && user.Ledger.Hint != "" {
			rows.Row("", "hint: "+user.Ledger.Hint)
		}
		for _, action := range user.Actions {
			rows.Row("  by hand", describeAction(action))
		}
		if err := rows.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// describeAction is what somebody did at Gmail, in a line.
func describeAction(action ledger.Action) string {
	outcome := string(action.Outcome)
	if outcome == "" {
		outcome = "begun, and not known how it ended"
	}
	text := fmt.Sprintf("%s UTC %s %s: %s, by %s", action.Started.UTC().Format(stdio.Clock), action.Verb, action.Object, outcome, action.Operator)
	if action.Message != "" {
		text += " (" + action.Message + ")"
	}
	if action.Reason != "" {
		text += ": " + action.Reason
	}
	return text
}

func describeEntry(entry *ledger.Entry) string {
	if entry == nil {
		return "no entry"
	}
	text := fmt.Sprintf("%s since %s UTC", entry.State, entry.Updated.UTC().Format(stdio.Clock))
	if entry.State == ledger.StateDone && entry.Step == ledger.StepEnrolled {
		text += ", enrolled by " + safetext.Clean(entry.Worker)
	}
	if entry.Run != 0 {
		text += fmt.Sprintf(", run %d", entry.Run)
	}
	text += ", " + safetext.Clean(entry.Where)
	if entry.State != ledger.StateDone && entry.Message != "" {
		text += ": " + entry.Message
	}
	return text
}
