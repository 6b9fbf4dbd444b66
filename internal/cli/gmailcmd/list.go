// Package gmailcmd is keypair and identity: what Gmail has of users, shown and changed
// by hand.
package gmailcmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// gmailList is how a command lists something of one user's: the JSON and the table's
// lines.
type gmailList func(ctx context.Context, user *gmail.User) (asJSON any, lines [][]any, err error)

// listedUsers is the JSON for several users; the names are a contract.
type listedUsers struct {
	// Users are what there is for one user each, or a [listProblem].
	Users []any          `json:"users"`
	Error *stdio.Failure `json:"error,omitempty"` // with which the command ends
}

// listProblem is a user, or a user's key pair, in the JSON of whom nothing could be listed.
type listProblem struct {
	Email     string `json:"email"`
	KeyPairID string `json:"key_pair_id,omitempty"`
	Problem   string `json:"problem"`
}

// askEach asks Gmail for one user or key pair after the other. What fails does not stop the others, is a
// [listProblem] in the answer, and makes the error a *[failure.UsersError].
func askEach(ctx context.Context, streams *stdio.Streams, domain *gmail.Domain, rows []option.User, ask func(*gmail.User, option.User) (any, error)) (all listedUsers, end, err error) {
	all.Users = []any{}
	failed := 0
	for _, row := range rows {
		var value any
		user, err := domain.User(ctx, row.Email)
		if err == nil {
			value, err = ask(user, row)
		}
		if errors.Is(err, context.Canceled) {
			return all, nil, err
		}
		if err != nil {
			failed++
			value = listProblem{row.Email, row.KeyPairID, safetext.Clean(err.Error())}
			stdio.Warning(streams.Err, row.Email+": "+err.Error())
		}
		all.Users = append(all.Users, value)
	}
	if failed > 0 {
		what := "user"
		if rows[0].KeyPairID != "" {
			what = "key pair"
		}
		end = &failure.UsersError{Failed: failed, Total: len(rows), What: what}
	}
	all.Error = streams.FailureOf(end)
	return all, end, nil
}

// newGmailList returns a command that lists something of users'.
func newGmailList(streams *stdio.Streams, short string, list gmailList, headings ...string) *cobra.Command {
	var options option.Gmail
	var from string
	var asJSON bool
	command := &cobra.Command{
		Use: "list EMAIL... | --from FILE", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := option.Users(cmd.Context(), option.UsersNamed(args), from, false)
			if err != nil {
				return err
			}
			options.SayForeign(streams.Err)
			options.Expect(option.EmailsOf(rows)...)
			domain, err := options.Open(cmd.Context(), streams.Err)
			if err != nil {
				return err
			}
			if from == "" && len(rows) == 1 {
				return listOne(cmd.Context(), streams.Out, domain, rows[0].Email, list, headings, asJSON)
			}
			return listSeveral(cmd.Context(), streams, domain, rows, list, headings, asJSON)
		},
	}
	options.Add(command.Flags())
	command.Flags().StringVar(&from, "from", "", "CSV `file` of several users, with a column email")
	option.AddJSON(command, &asJSON)
	return command
}

func listOne(ctx context.Context, out io.Writer, domain *gmail.Domain, email string, list gmailList, headings []string, asJSON bool) error {
	user, err := domain.User(ctx, email)
	if err != nil {
		return err
	}
	value, lines, err := list(ctx, user)
	if err != nil {
		return err
	}
	if asJSON {
		return stdio.JSON(out, value)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(out, "none")
		return err
	}
	return printLines(out, headings, lines)
}

// listSeveral lists all users in one table, whose first column is the user. One who
// fails does not stop the others.
func listSeveral(ctx context.Context, streams *stdio.Streams, domain *gmail.Domain, rows []option.User, list gmailList, headings []string, asJSON bool) error {
	var table [][]any
	all, end, err := askEach(ctx, streams, domain, rows, func(user *gmail.User, row option.User) (any, error) {
		value, lines, err := list(ctx, user)
		if err == nil && len(lines) == 0 {
			lines = [][]any{{"none"}}
		}
		for _, line := range lines {
			table = append(table, append([]any{row.Email}, line...))
		}
		return value, err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return errors.Join(stdio.JSON(streams.Out, all), stdio.Told(end))
	}
	return errors.Join(printLines(streams.Out, append([]string{"USER"}, headings...), table), end)
}

func printLines(out io.Writer, headings []string, lines [][]any) error {
	rows := stdio.NewTable(out, headings...)
	for _, line := range lines {
		rows.Row(line...)
	}
	return rows.Flush()
}

// shown is something of one user's as it is printed.
type shown struct {
	asJSON any
	print  func(io.Writer) error
}

// showEach shows one thing, or several one below the other.
func showEach(ctx context.Context, streams *stdio.Streams, options *option.Gmail, rows []option.User, from string, asJSON bool, show func(context.Context, *gmail.User, option.User) (shown, error)) error {
	options.SayForeign(streams.Err)
	options.Expect(option.EmailsOf(rows)...)
	domain, err := options.Open(ctx, streams.Err)
	if err != nil {
		return err
	}
	if from == "" && len(rows) == 1 {
		user, err := domain.User(ctx, rows[0].Email)
		if err != nil {
			return err
		}
		one, err := show(ctx, user, rows[0])
		if err != nil {
			return err
		}
		if asJSON {
			return stdio.JSON(streams.Out, one.asJSON)
		}
		return one.print(streams.Out)
	}
	var prints []func(io.Writer) error
	all, end, err := askEach(ctx, streams, domain, rows, func(user *gmail.User, row option.User) (any, error) {
		one, err := show(ctx, user, row)
		if err == nil {
			prints = append(prints, one.print)
		}
		return one.asJSON, err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return errors.Join(stdio.JSON(streams.Out, all), stdio.Told(end))
	}
	for i, print := range prints {
		if i > 0 {
			fmt.Fprintln(streams.Out)
		}
		if err := print(streams.Out); err != nil {
			return err
		}
	}
	return end
}

// short returns the start of a fingerprint, enough for a person to compare.
func short(fingerprint string) string {
	if len(fingerprint) > 16 {
		return fingerprint[:16]
	}
	return fingerprint
}
