package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// gmailList is how a command lists something of one user's: the JSON and the table's
// lines.
type gmailList func(ctx context.Context, user *gmail.User) (asJSON any, lines [][]any, err error)

// listedUsers is the JSON for several users; the names are a contract.
type listedUsers struct {
	// Users are what there is for one user each, or a [listProblem].
	Users []any        `json:"users"`
	Error *failureJSON `json:"error,omitempty"` // with which the command ends
}

// listProblem is a user in the JSON of whom nothing could be listed.
type listProblem struct {
	Email   string `json:"email"`
	Problem string `json:"problem"`
}

// newGmailList returns a command that lists something of users'.
func newGmailList(streams *Streams, short string, list gmailList, headings ...string) *cobra.Command {
	var options gmailFlags
	var from string
	var asJSON bool
	command := &cobra.Command{
		Use: "list EMAIL... | --from FILE", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := usersOf(cmd.Context(), emailRows(args), from, false)
			if err != nil {
				return err
			}
			options.sayForeign(streams.Err)
			domain, err := options.open(streams.Err)
			if err != nil {
				return err
			}
			if from == "" && len(rows) == 1 {
				return listOne(cmd.Context(), streams.Out, domain, rows[0].email, list, headings, asJSON)
			}
			return listSeveral(cmd.Context(), streams, domain, rows, list, headings, asJSON)
		},
	}
	options.add(command.Flags())
	command.Flags().StringVar(&from, "from", "", "CSV `file` of several users, with a column email")
	jsonFlag(command, &asJSON)
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
		return printJSON(out, value)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(out, "none")
		return err
	}
	return printLines(out, headings, lines)
}

// listSeveral lists all users in one table, whose first column is the user. One who
// fails does not stop the others.
func listSeveral(ctx context.Context, streams *Streams, domain *gmail.Domain, rows []userRow, list gmailList, headings []string, asJSON bool) error {
	all := listedUsers{Users: []any{}}
	var table [][]any
	failed := 0
	for _, row := range rows {
		var value any
		var lines [][]any
		user, err := domain.User(ctx, row.email)
		if err == nil {
			value, lines, err = list(ctx, user)
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			failed++
			value = listProblem{row.email, safetext.Clean(err.Error())}
			printWarning(streams.Err, row.email+": "+err.Error())
		}
		all.Users = append(all.Users, value)
		if err == nil && len(lines) == 0 {
			lines = [][]any{{"none"}}
		}
		for _, line := range lines {
			table = append(table, append([]any{row.email}, line...))
		}
	}
	var end error
	if failed > 0 {
		end = &someFailedError{failed: failed, total: len(rows), what: "user"}
	}
	if asJSON {
		all.Error = failureOf(end)
		return errors.Join(printJSON(streams.Out, all), told(end))
	}
	return errors.Join(printLines(streams.Out, append([]string{"USER"}, headings...), table), end)
}

func printLines(out io.Writer, headings []string, lines [][]any) error {
	rows := newTable(out, headings...)
	for _, line := range lines {
		rows.row(line...)
	}
	return rows.flush()
}

func jsonFlag(command *cobra.Command, value *bool) {
	command.Flags().BoolVar(value, "json", false, "print JSON")
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// short returns the start of a fingerprint, enough for a person to compare.
func short(fingerprint string) string {
	if len(fingerprint) > 16 {
		return fingerprint[:16]
	}
	return fingerprint
}
